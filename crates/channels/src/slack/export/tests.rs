use std::collections::HashSet;
use std::io::{Cursor, Write};

use amebo_core::slack::SlackChannelKind as ChannelKind;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::slack::transcript::LeftOut;

const USERS: &str = r#"[{"id":"U1","name":"ada","profile":{"display_name":"Ada","email":" Ada@Acme.example "}},
    {"id":"U2","name":"deploy","is_bot":true}, 7, {"id":"U3","real_name":"Cleo","deleted":true}]"#;
const CHANNELS: &str = r#"[{"id":"C1","name":"general","members":["U1","U3"]}]"#;
const DAY: &str = r#"[{"type":"message","user":"U1","text":"second","ts":"1500000002.000000"},
    {"type":"message","user":"U3","text":"first","ts":"1500000001.000000"},
    {"type":"message","user":"U2","text":"deployed","ts":"1500000003.000000"},
    {"type":"message","subtype":"channel_join","user":"U3","text":"joined","ts":"1500000000.000000"}, "not a message"]"#;

fn archive(files: &[(&str, &[u8])]) -> Cursor<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn export(more: &[(&str, &[u8])]) -> Result<Export<Cursor<Vec<u8>>>, Error> {
    let mut files: Vec<(&str, &[u8])> = vec![
        ("users.json", USERS.as_bytes()),
        ("channels.json", CHANNELS.as_bytes()),
        ("general/2017-07-14.json", DAY.as_bytes()),
    ];
    files.extend(more);
    Export::open(archive(&files), Limits::default())
}

#[test]
fn people_channels_and_messages_are_read() {
    let mut export = export(&[("groups.json", br#"[{"id":"G1","name":"board"}]"#)]).unwrap();
    let mut users = Vec::new();
    export.users(|user| users.push(user)).unwrap();
    assert_eq!(users.len(), 3, "what is not a user is left out");
    assert_eq!(users[0].display_name(), "Ada");
    assert_eq!(users[0].email().as_deref(), Some("ada@acme.example"));
    assert!(users[1].is_bot() && users[2].deleted);
    let mut channels = Vec::new();
    let broken = export.channels(|kind, channel| channels.push((kind, channel)));
    assert_eq!(broken, []);
    assert_eq!(channels.len(), 2);
    assert_eq!(
        (channels[1].0, channels[1].1.name()),
        (ChannelKind::Private, Some("board"))
    );
    let day = export.days()[0].clone();
    assert_eq!(day.folder, "general");
    let bots: HashSet<&str> = HashSet::from(["U2"]);
    let messages = export.messages(&day, |user| bots.contains(user)).unwrap();
    let texts: Vec<_> = messages
        .kept
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    assert_eq!(texts, ["first", "second"]);
    for reason in [LeftOut::Bot, LeftOut::Notice, LeftOut::Malformed] {
        assert_eq!(messages.left_out[&reason], 1, "{reason:?}");
    }
}

#[test]
fn days_come_in_an_order_that_does_not_change() {
    let export = export(&[
        ("general/2017-07-13.json", b"[]"),
        ("alpha/2018-01-01.json", b"[]"),
        ("general/2016-01-01.json", b"[]"),
    ])
    .unwrap();
    let days: Vec<_> = export
        .days()
        .iter()
        .map(|day| format!("{}/{}", day.folder, day.date))
        .collect();
    assert_eq!(
        days,
        [
            "alpha/2018-01-01",
            "general/2016-01-01",
            "general/2017-07-13",
            "general/2017-07-14"
        ]
    );
}

#[test]
fn an_export_that_was_packed_again_in_a_folder_is_read() {
    let files: [(&str, &[u8]); 3] = [
        ("Acme export/users.json", USERS.as_bytes()),
        ("Acme export/general/2017-07-14.json", DAY.as_bytes()),
        ("__MACOSX/Acme export/._users.json", b"x"),
    ];
    let export = Export::open(archive(&files), Limits::default()).unwrap();
    assert_eq!(export.days().len(), 1);
}

#[test]
fn a_broken_file_is_told_and_leaves_the_others_alone() {
    let mut export = export(&[
        ("general/2017-07-15.json", br#"[{"user":"U1","text":"cut o"#),
        ("general/2017-07-16.json", br#"{"not":"a list"}"#),
    ])
    .unwrap();
    let days = export.days().to_vec();
    let outcomes: Vec<_> = days.iter().map(|day| export.messages(day, |_| false)).collect();
    assert_eq!(outcomes[0].as_ref().unwrap().kept.len(), 3);
    let problem = outcomes[1].as_ref().unwrap_err();
    assert_eq!(problem.file, "general/2017-07-15.json");
    assert!(
        problem.reason.starts_with("it is not a JSON list"),
        "{}",
        problem.reason
    );
    assert!(outcomes[2].is_err());
}

#[test]
fn names_that_lead_elsewhere_are_left_out_and_told() {
    let export = export(&[
        ("../2017-07-14.json", b"[]"),
        ("/etc/2017-07-14.json", b"[]"),
        ("general/../../2017-07-14.json", b"[]"),
        ("a\\b/2017-07-14.json", b"[]"),
        ("general/2017-13-45.json", b"[]"),
        ("run.exe", b"MZ"),
    ])
    .unwrap();
    assert_eq!(export.days().len(), 1);
    assert_eq!(export.problems().len(), 6, "{:?}", export.problems());
}

#[test]
fn what_is_no_export_is_refused() {
    let refused = |bytes: Vec<u8>| Export::open(Cursor::new(bytes), Limits::default()).unwrap_err();
    assert!(matches!(refused(Vec::new()), Error::NotAnArchive(_)));
    assert!(matches!(
        refused(b"PK\x05\x06 but no archive".to_vec()),
        Error::NotAnArchive(_)
    ));
    let other = archive(&[("readme.txt", b"hello")]).into_inner();
    assert!(matches!(refused(other), Error::NotAnExport));
    let whole = archive(&[("users.json", b"[]"), ("general/2017-07-14.json", b"[]")]).into_inner();
    let cut = whole[..whole.len() - 30].to_vec();
    assert!(matches!(refused(cut), Error::NotAnArchive(_)));
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    let zeros = vec![b' '; 24 << 20];
    assert!(matches!(
        export(&[("general/2017-07-15.json", &zeros)]).unwrap_err(),
        Error::Bomb(_)
    ));
    let small = Limits {
        total_bytes: 100,
        ..Limits::default()
    };
    let files = archive(&[
        ("users.json", USERS.as_bytes()),
        ("general/2017-07-14.json", DAY.as_bytes()),
    ]);
    assert!(matches!(Export::open(files, small).unwrap_err(), Error::Bomb(_)));
}

#[test]
fn an_archive_that_declares_too_many_files_is_refused_without_reading_them() {
    // A zip64 end record (56 bytes), its locator (20) and the end record (22), all by hand.
    let mut bytes = b"PK\x06\x06".to_vec();
    bytes.extend_from_slice(&[0; 28]);
    bytes.extend_from_slice(&(MAX_ENTRIES + 1).to_le_bytes());
    bytes.resize(56, 0);
    bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    bytes.extend_from_slice(&0_u64.to_le_bytes());
    bytes.extend_from_slice(&[1, 0, 0, 0]);
    bytes.extend_from_slice(b"PK\x05\x06");
    bytes.resize(56 + 20 + 22, 0xff);
    assert!(matches!(
        Export::open(Cursor::new(bytes), Limits::default()).unwrap_err(),
        Error::Bomb("too many files")
    ));
}

#[test]
fn a_day_that_is_too_large_is_left_out() {
    let limits = Limits {
        day_bytes: 10,
        ..Limits::default()
    };
    let files = archive(&[
        ("users.json", USERS.as_bytes()),
        ("general/2017-07-14.json", DAY.as_bytes()),
    ]);
    let mut export = Export::open(files, limits).unwrap();
    let day = export.days()[0].clone();
    assert!(
        export
            .messages(&day, |_| false)
            .unwrap_err()
            .reason
            .contains("larger")
    );
}
