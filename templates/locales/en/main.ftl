# Every text of the pages. A further language is a folder beside this one with the same keys.

direction = ltr
product = Splynx BitPay add-on
test-banner = Test mode: no real money is moved.

# Links
back = Back
back-portal = Back to the portal
back-invoices = Back to my invoices
back-proformas = Back to my proforma invoices
back-admin = Back to Splynx
back-payments = Back to my payments
back-config = Back to the BitPay page
log-in = Log in
log-in-as-customer = Open the customer list
try-again = Try again

# Paying a document
pay-title-invoice = Pay invoice #{ $number }
pay-title-proforma = Pay proforma invoice #{ $number }
pay-due-invoice = Amount due
pay-due-proforma = Proforma invoice total
pay-fee = Service fee
pay-sum = Total to pay
pay-hint = You will pay in bitcoin on the secure page of BitPay. The amount in bitcoin is shown there.
checkout-now = Checkout Now

# Refilling the balance
refill-title = Add money to your balance
refill-amount = Amount
refill-limits = From { $minimum } to { $maximum }.
refill-fee = A service fee of { $percent } % is added to this amount.
refill-pay = Pay
amount-not-an-amount = Please enter an amount in digits, such as 25 or 25.50 (with a decimal point).
amount-too-precise = { $figure ->
    [0] Please enter a whole amount, without decimal places.
    *[other] Please enter at most { $figure } decimal places.
}
amount-too-small = The smallest amount is { $figure }.
amount-too-large = The largest amount is { $figure }.

# After the checkout
result-for = Payment for
result-for-invoice = Invoice #{ $number }
result-for-proforma = Proforma invoice #{ $number }
result-for-top-up = Your balance
result-sum = Amount
result-pay = Go on with the payment
result-waiting-title = Waiting for your payment
result-waiting-text = We have not seen your payment yet. This page updates by itself.
result-confirming-title = Payment seen
result-confirming-text = Your payment has arrived in the bitcoin network and is being confirmed. You may close this page.
result-settled-title = Payment received
result-settled-text = Your payment is final and is being entered into your account. You may close this page.
result-paid-title = Payment successful!
result-paid-text = Your payment is in your account. Thank you.
result-expired-title = The time to pay is over
result-expired-text = The whole sum did not arrive in time. If you have paid all of it, it will still be credited as soon as it arrives. If you have paid less, BitPay pays it back to you. Otherwise please begin again.
result-refused-title = Payment not accepted
result-refused-text = The payment was not accepted. If money has left your wallet, please contact your provider.

# The admin's page
config-title = BitPay
config-done-paired = Access token has been successfully generated.
config-done-unpaired = BitPay data has been successfully reset.
config-failed = Pairing did not work.
config-unpaired-test = Access token is not set for test environment. Follow the instruction below:
config-unpaired-production = Access token is not set for production environment. Follow the instruction below:
config-step-1 = Log in to BitPay:
config-step-2 = Open Payment Tools / Manage API Tokens.
config-step-3 = Press Add New Token; Require Authentication should be enabled.
config-step-4 = Press Add Token; a pairing code is generated.
config-step-5 = Copy the code, paste it below and press Pair.
config-code = Pairing Code
config-code-placeholder = Paste Pairing Code here...
config-code-hint = Pairing code looks like: u7m0VSR
config-pair = Pair
config-mode = Mode
config-mode-test = Test
config-mode-production = Production
config-processor = Address
config-token = Access token
config-sin = Client ID
config-since = Paired since
config-unpair = Unpair
config-unpair-question = Customers will not be able to begin new payments until you pair again. Payments already begun are still watched and credited.
config-cancel = Cancel
config-unpair-sure = Unpair now

# Why pairing did not work
pairing-failed-not-a-code = A pairing code has exactly 7 letters and digits, such as C4Lg7oW. Copy it from the dashboard under Payment Tools > Manage API Tokens > Add New Token.
pairing-failed-token-not-code = This is an API token, not a pairing code. A token without "Require Authentication" is used as it is; otherwise enter the pairing code shown beside it.
pairing-failed-wrong-code-production = { $address } did not accept the pairing code. It may be mistyped, used already (a code works once), older than 24 hours, or made on another site (codes of test.bitpay.com work only with environment = "test"). Make a new code on the dashboard of { $address } under Payment Tools > Manage API Tokens > Add New Token and enter it at once. ("{ $said }")
pairing-failed-wrong-code-test = { $address } did not accept the pairing code. It may be mistyped, used already (a code works once), older than 24 hours, or made on another site (codes of bitpay.com work only with environment = "production"). Make a new code on the dashboard of { $address } under Payment Tools > Manage API Tokens > Add New Token and enter it at once. ("{ $said }")
pairing-failed-wrong-code-elsewhere = { $address } did not accept the pairing code. It may be mistyped, used already (a code works once), too old (24 hours; 15 minutes at a BTCPay Server), or made on another server. Make a new code there and enter it at once. ("{ $said }")
pairing-failed-unapproved = { $address } gave a token that nobody has approved yet. Make a pairing code on its dashboard under Payment Tools > Manage API Tokens > Add New Token, which needs no approval, and enter it.
pairing-failed-account-not-set-up = The merchant account at { $address } is not ready yet. Log in to its dashboard and finish its set-up, then pair again. ("{ $said }")
pairing-failed-facade = This pairing code is for a token that cannot take payments. Make one under Payment Tools > Manage API Tokens > Add New Token, which gives a point-of-sale token, and enter it. ("{ $said }")
pairing-failed-refused = { $address } said no. Make a new pairing code on its dashboard; if that is refused as well, ask its support about these words. ("{ $said }")
pairing-failed-not-sent = { $address } could not be reached: { $said }. The pairing code was not used; try again with it.
pairing-failed-asked-to-wait = { $address } did not look at the pairing code: { $said }. Wait some minutes, then try again with it.
pairing-failed-not-used = { $address } has not accepted the code ({ $said }). Try it once more.
pairing-failed-unclear = { $address } did not answer clearly ({ $said }). Pair again with the same code; if that fails, make a new one.
pairing-failed-settings = The add-on's own settings do not allow pairing. Check them with "splynx-bitpay doctor". ("{ $said }")

# Dead ends
notice-bad-request-title = This request cannot be read
notice-bad-request-text = Something in the address or the form is damaged. Please go back and try again.
notice-no-number-title = No document was named
notice-no-number-text = Please choose the invoice you want to pay in the portal.
notice-login-title = Please log in
notice-login-text = You are not logged in, or your session has ended. Please log in and try again.
notice-admin-on-customer-page-title = This page is for customers
notice-admin-on-customer-page-text = You are logged in as an administrator. To see this page, open the customer in Splynx and use "Login as customer".
notice-customer-on-admin-page-title = This page is for administrators
notice-customer-on-admin-page-text = You are not allowed to see this page.
notice-foreign-form-title = This form was not sent from our pages
notice-foreign-form-text = For your safety the request was not carried out. Please open the page in the portal and try again.
notice-stale-form-title = This form is out of date
notice-stale-form-text = Nothing was changed. Please open the page again and repeat what you did.
notice-someone-elses-title = Invalid invoice!
notice-someone-elses-text = This document does not belong to your account.
notice-not-found-title = Page not found
notice-not-found-text = There is nothing at this address.
notice-unknown-invoice-title = Invalid invoice number!
notice-unknown-invoice-text = There is no invoice with this number. Please choose it from the list in the portal.
notice-unknown-proforma-title = Invalid proforma invoice number!
notice-unknown-proforma-text = There is no proforma invoice with this number. Please choose it from the list in the portal.
notice-unknown-payment-title = Payment not found
notice-unknown-payment-text = There is no payment at this address. Your payments are listed in the portal.
notice-method-not-allowed-title = This cannot be done here
notice-method-not-allowed-text = The address exists but does not take this kind of request.
notice-too-slow-title = The form took too long
notice-too-slow-text = Nothing was done. Please check your connection and try again.
notice-paid-title = Invoice already paid!
notice-paid-text = This document is paid. There is nothing left to do.
notice-pending-title = Payment on its way
notice-pending-text = A payment of this document is already being processed. Please wait until it shows as paid.
notice-deleted-title = Invoice deleted!
notice-deleted-text = This document was deleted and cannot be paid.
notice-nothing-due-title = Nothing to pay
notice-nothing-due-text = Nothing is due on this document.
notice-not-payable-title = This document cannot be paid online
notice-not-payable-text = Please contact your provider about this document.
notice-too-large-title = The form is too large
notice-too-large-text = Nothing was done. Please go back and shorten what you entered.
notice-wrong-type-title = The form has a wrong format
notice-wrong-type-text = Nothing was done. Please use the form on our page.
notice-too-many-title = Too many payments at once
notice-too-many-text = You have begun many payments within a short time. Please wait a minute and try again.
notice-broken-title = Something went wrong
notice-broken-text = We could not show this page. Please try again; if it happens again, contact your provider.
notice-processor-refused-title = The payment could not be begun
notice-processor-refused-text = The payment service did not accept this payment. Nothing was charged. Please contact your provider.
notice-processor-down-title = The payment service does not answer
notice-processor-down-text = Nothing was charged. Please try again in a minute.
notice-not-paired-title = Payments are not set up yet
notice-not-paired-text = Payments by BitPay are not available at the moment. Please choose another way to pay or come back later.
notice-splynx-down-title = The portal does not answer
notice-splynx-down-text = We could not reach the billing system. Nothing was charged. Please try again in a minute.
notice-store-down-title = Not available at the moment
notice-store-down-text = Our records cannot be read right now. A payment already made is not lost. Please try again in a minute.
