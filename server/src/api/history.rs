//! What a visitor made.

use axum::extract::State;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use types::history::{HistoryPage, HistoryQuery};

use crate::error::ApiResult;
use crate::extract::ApiQuery;

/// `GET /api/v1/history?search=&favourites=&cursor=&limit=`: the asker's own pictures, newest first.
pub async fn list(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiQuery(query): ApiQuery<HistoryQuery>,
) -> ApiResult<Json<HistoryPage>> {
    Ok(Json(services.history(&visitor, query).await?))
}
