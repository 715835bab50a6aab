use std::collections::BTreeSet;

use super::*;

/// The routes of Darkroom's own API, as its document has them.
fn documented() -> Vec<(Method, String)> {
    let paths = document::as_value()["paths"].as_object().expect("the document has paths");
    let mut routes = vec![(Method::GET, document::PATH.to_owned())];
    for (path, methods) in paths {
        for name in methods.as_object().expect("a path has methods").keys() {
            let method = name.to_uppercase().parse().expect("it is a method");
            routes.push((method, path.clone()));
        }
    }
    routes
}

/// The routes that stand in a source, one a line. What answers any method answers all of them alike.
fn written_in(source: &str) -> Vec<(Method, String)> {
    let mut routes = Vec::new();
    for line in source.lines().filter(|line| line.contains(".route(")) {
        let mut parts = line.split('"');
        let (Some(before), Some(path), Some(handlers)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let prefixes: &[&str] = if before.contains("&at(") { &["", "/api"] } else { &[""] };
        for (call, method) in [("get(", Method::GET), ("any(", Method::GET), ("post(", Method::POST)] {
            if handlers.contains(call) {
                routes.extend(prefixes.iter().map(|prefix| (method.clone(), format!("{prefix}{path}"))));
            }
        }
    }
    routes
}

/// All routes at which a key may be shown.
fn for_programs() -> Vec<(Method, String)> {
    let shapes = [
        written_in(include_str!("../openai/mod.rs")),
        written_in(include_str!("../a1111/mod.rs")),
        written_in(include_str!("../comfyui/mod.rs")),
    ];
    shapes.into_iter().fold(documented(), |all, some| [all, some].concat())
}

fn pages() -> Vec<(Method, String)> {
    written_in(include_str!("../router.rs"))
}

#[test]
fn every_route_is_open_to_a_key_that_may_only_look_but_these() {
    let routes = for_programs().into_iter();
    let closed = routes.filter(|(method, route)| of_route(method, route) != Scope::Read);
    let closed: BTreeSet<_> = closed.map(|(method, route)| format!("{method} {route}")).collect();
    let expected = [
        "DELETE /api/v1/images/{id}",
        "DELETE /api/v1/jobs/{id}",
        "GET /api/v1/prompts/stream",
        "POST /api/history",
        "POST /api/interrupt",
        "POST /api/prompt",
        "POST /api/queue",
        "POST /api/upload/image",
        "POST /api/upload/mask",
        "POST /api/v1/images/{id}/favourite",
        "POST /api/v1/jobs",
        "POST /api/v1/jobs/{id}/cancel",
        "POST /api/v1/jobs/{id}/share",
        "POST /api/v1/prompts",
        "POST /api/v1/uploads",
        "POST /generate-image",
        "POST /history",
        "POST /interrupt",
        "POST /prompt",
        "POST /promptgen/generate",
        "POST /queue",
        "POST /sdapi/v1/img2img",
        "POST /sdapi/v1/interrupt",
        "POST /sdapi/v1/options",
        "POST /sdapi/v1/skip",
        "POST /sdapi/v1/txt2img",
        "POST /upload/image",
        "POST /upload/mask",
        "POST /v1/images/edits",
        "POST /v1/images/generations",
        "POST /v1/images/variations",
    ];
    assert_eq!(closed, BTreeSet::from(expected.map(str::to_owned)));
}

#[test]
fn every_page_is_looked_at_so_that_other_sites_may_link_to_it() {
    let pages = pages();
    assert!(pages.contains(&(Method::GET, "/j/{id}".to_owned())), "{pages:?}");
    for (method, route) in pages.iter().filter(|(method, _)| *method == Method::GET) {
        // The operator's page stands outside: it has a door of its own.
        if !route.starts_with("/operator") {
            assert_eq!(of_route(method, route), Scope::Read, "{route}");
        }
    }
}

#[test]
fn nothing_in_the_table_is_no_route() {
    let routes = [for_programs(), pages()].concat();
    let is_route = |method: Method, route: &str| routes.contains(&(method, route.to_owned()));
    for route in [&OWN[..], &PAGES, &OPENAI, &AUTOMATIC1111, &COMFYUI].concat() {
        assert!(is_route(Method::GET, route), "{route}");
    }
    for route in POSTED {
        assert!(is_route(Method::POST, route), "{route}");
    }
}

#[test]
fn a_route_that_nobody_knows_is_not_open_to_a_key_that_may_only_look() {
    for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
        assert_eq!(of_route(&method, "/api/v1/new"), Scope::Generate, "{method}");
        assert_eq!(of_route(&method, ""), Scope::Generate, "{method}");
    }
}
