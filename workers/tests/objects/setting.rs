//! What the setting `objects` may say.

use dface_workers::objects::{OpenError, open};

#[tokio::test]
async fn a_directory_by_path_by_url_or_by_default() {
    let dir = tempfile::tempdir().unwrap();
    open(None, dir.path()).unwrap();
    open(Some(""), dir.path()).unwrap();
    assert!(dir.path().join("objects").is_dir());
    let (plain, url) = (dir.path().join("plain"), dir.path().join("url"));
    open(plain.to_str(), dir.path()).unwrap();
    open(Some(&format!("file://{}", url.display())), dir.path()).unwrap();
    assert!(plain.is_dir() && url.is_dir());
}

#[tokio::test]
async fn what_is_neither_directory_nor_bucket_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for wrong in ["ftp://host/x", "s3://", "s3://bucket?key=secret", "s3://id:secret@bucket", "s3:///bucket"] {
        let error = open(Some(wrong), dir.path()).err().expect(wrong);
        assert!(matches!(error, OpenError::Form(_)), "{wrong}: {error}");
    }
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(open(file.to_str(), dir.path()), Err(OpenError::Directory { .. })));
}
