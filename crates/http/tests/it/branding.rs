//! What an organisation's pages carry.

use amebo_testkit::{Person, Reply, TestApp};
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

async fn put_logo(person: &Person, kind: &str, content: Vec<u8>) -> Reply {
    let request = Request::put(person.path("/logo"))
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(content))
        .unwrap();
    person.client.send(request).await
}

#[tokio::test]
async fn a_logo_is_what_its_bytes_say_and_is_served_so_that_it_can_only_be_looked_at() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let _ = put_logo(&owner, "text/html", PNG.to_vec()).await.expect(204);
    let organization = owner.client.get(&owner.path("")).await.expect(200).json();
    let address = organization["logo"].as_str().unwrap();
    assert!(address.starts_with("/api/v1/logos/acme?v="), "{address}");
    let served = app.anonymous().get(address).await.expect(200);
    assert_eq!(served.bytes, PNG);
    let about = |name: &str| served.headers[name].to_str().unwrap().to_owned();
    assert_eq!(about("content-type"), "image/png");
    assert_eq!(about("x-content-type-options"), "nosniff");
    assert_eq!(
        about("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'; sandbox"
    );
    let again = Request::get(address)
        .header(header::IF_NONE_MATCH, about("etag"))
        .body(Body::empty());
    let again = app.anonymous().send(again.unwrap()).await.expect(304);
    assert!(again.bytes.is_empty());

    let _ = owner.client.delete(&owner.path("/logo")).await.expect(204);
    let _ = app.anonymous().get(address).await.expect(404);
    let _ = app.anonymous().get("/api/v1/logos/nobody").await.expect(404);
}

#[tokio::test]
async fn pictures_that_can_hold_programs_and_those_too_large_are_refused() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    for content in [svg, b"GIF89a".to_vec(), Vec::new()] {
        let refused = put_logo(&owner, "image/png", content).await.expect(422).json();
        assert_eq!(refused["errors"][0]["pointer"], "/logo");
    }
    let large = |bytes: usize| {
        let mut content = PNG.to_vec();
        content.resize(bytes, 0);
        content
    };
    let refused = put_logo(&owner, "image/png", large((256 << 10) + 1)).await;
    assert_eq!(refused.expect(422).json()["errors"][0]["pointer"], "/logo");
    let refused = put_logo(&owner, "image/png", large(1 << 20)).await;
    assert_eq!(refused.expect(413).problem(), "too-large");
    let _ = put_logo(&owner, "image/png", large(256 << 10)).await.expect(204);
}

#[tokio::test]
async fn a_picture_of_too_many_pixels_is_refused_however_few_bytes_it_has() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let sized = |width: u32, height: u32| {
        let mut content = PNG.to_vec();
        content[16..20].copy_from_slice(&width.to_be_bytes());
        content[20..24].copy_from_slice(&height.to_be_bytes());
        content
    };
    for (width, height) in [(2_049, 16), (16, 60_000)] {
        let refused = put_logo(&owner, "image/png", sized(width, height))
            .await
            .expect(422)
            .json();
        assert_eq!(refused["errors"][0]["pointer"], "/logo");
        assert_eq!(
            refused["errors"][0]["detail"],
            format!("a logo is at most 2048 pixels wide and high; this picture is {width} by {height}")
        );
    }
    for broken in [sized(0, 16), PNG[..20].to_vec(), b"\xff\xd8\xff\xd9".to_vec()] {
        let refused = put_logo(&owner, "image/png", broken).await.expect(422).json();
        assert_eq!(
            refused["errors"][0]["detail"],
            "this picture is damaged: it does not say how large it is"
        );
    }
    let organization = owner.client.get(&owner.path("")).await.expect(200).json();
    assert_eq!(organization["logo"], Value::Null, "nothing of them is kept");
    let _ = put_logo(&owner, "image/png", sized(2_048, 2_048))
        .await
        .expect(204);
}

#[tokio::test]
async fn public_profiles_lie_where_they_say_one_on_each_platform() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let path = owner.path("/social-links");
    let links = json!({ "items": [
        { "platform": "youtube", "url": "https://www.youtube.com/@acme" },
        { "platform": "linkedin", "url": "https://www.linkedin.com/company/acme" },
    ] });
    let kept = owner.client.put(&path, &links).await.expect(200).json();
    assert_eq!(kept["items"][0]["platform"], "linkedin");
    assert_eq!(owner.client.get(&path).await.expect(200).json(), kept);
    let wrong = json!({ "items": [
        { "platform": "linkedin", "url": "https://linkedin.com.example.com/acme" },
        { "platform": "youtube", "url": "https://youtu.be/acme" },
        { "platform": "youtube", "url": "https://youtube.com/acme" },
    ] });
    let refused = owner.client.put(&path, &wrong).await.expect(422).json();
    let pointers: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/items/0/url", "/items/2/url"]);
    assert_eq!(owner.client.get(&path).await.expect(200).json(), kept);
    let none = owner.client.put(&path, &json!({ "items": [] })).await.expect(200);
    assert_eq!(none.json(), json!({ "items": Value::Array(Vec::new()) }));
}
