//! The people: a customer who pays, an admin who pairs.
//!
//! **Invariant:** they use the pages, with the forms and headers the pages have.

use splynx_bitpay::sim::splynx;

use super::browser::{Browser, Page};
use super::eventually::{PATIENCE, eventually};
use super::world::World;

/// A document in Splynx.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) kind: splynx::Kind,
    pub(crate) id: u64,
    pub(crate) number: String,
}

impl Document {
    /// The page its *Pay* button opens.
    pub(crate) fn page(&self) -> String {
        let page = match self.kind {
            splynx::Kind::Invoice => "pay-invoice",
            splynx::Kind::Proforma => "pay-proforma",
        };
        format!("/bitpay/{page}?item_id={}", self.number)
    }
}

/// Where a customer was sent to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// The processor invoice.
    pub(crate) invoice: String,
    /// Its page.
    pub(crate) address: String,
}

impl Checkout {
    /// The key of its `n`-th credit, as design 4.6 builds it.
    pub(crate) fn key(&self, n: u32) -> String {
        format!("BP-{}-{n}", self.invoice)
    }

    fn of(page: &Page) -> Self {
        assert_eq!(page.status, 303, "no checkout: {}", page.body);
        let address = page.location().to_owned();
        let (_, invoice) = address.split_once("/invoice?id=").unwrap();
        Self { invoice: invoice.to_owned(), address }
    }
}

/// A customer with a portal session.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: u64,
    pub(crate) browser: Browser,
}

impl Customer {
    /// Opens the page of a document and presses its button.
    pub(crate) async fn check_out(&self, document: &Document) -> Checkout {
        let page = self.browser.get(&document.page()).await;
        assert_eq!(page.status, 200, "{}", page.body);
        Checkout::of(&self.browser.submit(&page.form_with("_top")).await)
    }

    /// Opens the refill page, types an amount and presses its button.
    pub(crate) async fn refill(&self, amount: &str) -> Checkout {
        Checkout::of(&self.type_amount(amount).await)
    }

    /// Types an amount into the refill form, whatever comes of it.
    pub(crate) async fn type_amount(&self, amount: &str) -> Page {
        let page = self.browser.get("/bitpay/").await;
        assert_eq!(page.status, 200, "{}", page.body);
        self.browser.submit(&page.form_with("amount").with("amount", amount)).await
    }
}

impl World {
    /// Pays on the checkout page: chooses a coin, presses *Pay*.
    pub(crate) async fn pay_on_the_page(&self, checkout: &Checkout) {
        let shopper = Browser::at(self.bitpay.url());
        let page = shopper.get(&checkout.address).await;
        let form = page.form_with("name=\"currency\"").with("currency", "BTC");
        assert_eq!(shopper.submit(&form).await.status, 303);
        let form = shopper.get(&checkout.address).await.form_with("class=\"primary\"");
        assert_eq!(shopper.submit(&form.with("action", "pay")).await.status, 303);
    }

    /// The invoice is paid at BitPay, in whatever coin.
    pub(crate) fn pay(&self, checkout: &Checkout) {
        self.bitpay.pay(&checkout.invoice, splynx_bitpay::sim::bitpay::PayKind::Exact).unwrap();
    }

    /// Waits until BitPay says that the payment is final.
    pub(crate) async fn final_at_bitpay(&self, checkout: &Checkout) {
        use splynx_bitpay::sim::bitpay::Status;
        eventually("the payment is final at BitPay", PATIENCE, async || {
            match self.bitpay.invoice(&checkout.invoice).unwrap().status {
                Status::Confirmed | Status::Complete => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    /// The page BitPay sends the customer back to.
    pub(crate) fn results(&self, checkout: &Checkout) -> Results {
        let address = self.bitpay.invoice(&checkout.invoice).unwrap().redirect_url.unwrap();
        Results { browser: self.browser(), address }
    }
}

/// The result page, opened by somebody who is not logged in.
#[derive(Debug, Clone)]
pub(crate) struct Results {
    browser: Browser,
    pub(crate) address: String,
}

impl Results {
    /// What the page says without any script.
    pub(crate) async fn page(&self) -> Page {
        let page = self.browser.get(&self.address).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page
    }

    /// The page's progress.
    pub(crate) async fn progress(&self) -> String {
        let body = self.page().await.body;
        let (_, rest) = body.split_once("data-progress=\"").unwrap();
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// What the page's own script is told.
    pub(crate) async fn script_sees(&self) -> serde_json::Value {
        serde_json::from_str(&self.browser.get_json(&self.address).await.body).unwrap()
    }

    /// Waits until the page says this.
    pub(crate) async fn says(&self, progress: &str) {
        eventually(&format!("the result page says {progress}"), PATIENCE, async || {
            let now = self.progress().await;
            if now == progress { Ok(()) } else { Err(now) }
        })
        .await;
    }
}

/// The admin with a session.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) browser: Browser,
}

impl Admin {
    /// The page of the pairing.
    pub(crate) async fn page(&self) -> Page {
        let page = self.browser.get("/bitpay/config").await;
        assert_eq!(page.status, 200, "{}", page.body);
        page
    }

    /// Pastes a code and presses *Pair*.
    pub(crate) async fn pair(&self, code: &str) {
        let page = self.try_pairing(code).await;
        assert_eq!(page.status, 303, "{}", page.body);
    }

    /// Pastes a code and presses *Pair*, whatever comes of it.
    pub(crate) async fn try_pairing(&self, code: &str) -> Page {
        let form = self.page().await.form_with("pairing_code");
        self.browser.submit(&form.with("pairing_code", code).with("action", "pair")).await
    }

    /// Presses *Unpair* and says that they are sure.
    pub(crate) async fn unpair(&self) {
        let form = self.page().await.form_with("value=\"unpair\"");
        let page = self.browser.submit(&form.with("action", "unpair")).await;
        assert_eq!(page.status, 303, "{}", page.body);
    }
}
