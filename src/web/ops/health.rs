//! `/health`: the process answers.

use actix_web::HttpResponse;

/// Always 200: that it answers is the answer.
pub async fn get() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}
