use backend::engine::fake::{FakeEngine, fake_model};
use serde_json::{Value, json};
use types::model::ModelInfo;

use super::complaint;
use crate::helpers::TestApp;

#[tokio::test]
async fn usable_models_are_listed_and_had_one_by_one() {
    let broken =
        ModelInfo { name: "broken".into(), problem: Some("a part is missing".into()), ..fake_model() };
    let own = ModelInfo { name: "own".into(), bundled: false, ..fake_model() };
    let app = TestApp::with_engine(FakeEngine::new().with_models(vec![fake_model(), broken, own])).await;
    let anna = app.browser();
    let demo = json!({ "id": "demo", "object": "model", "created": 0, "owned_by": "darkroom" });
    let own = json!({ "id": "own", "object": "model", "created": 0, "owned_by": "user" });
    assert_eq!(
        anna.get("/v1/models").await.json::<Value>(),
        json!({ "object": "list", "data": [demo, own] })
    );
    assert_eq!(anna.get("/v1/models/own").await.json::<Value>(), own);
    assert_eq!(
        anna.get("/v1/models/gpt-image-1").await.json::<Value>(),
        demo,
        "it stands for the default one"
    );
    insta::assert_snapshot!(
        complaint(&anna.get("/v1/models/broken").await),
        @"404 invalid_request_error model model_not_found: model `broken` cannot be used: a part is missing"
    );
    insta::assert_snapshot!(
        complaint(&anna.get("/v1/models/gpt-4o").await),
        @"404 invalid_request_error model model_not_found: model `gpt-4o` is not installed; those that can be used: demo, own"
    );
}
