//! Excel files whose elements carry a namespace prefix, `<x:row>`, as many programs write them that are not Excel. `undoc`
//! knows elements by their bare names and would find nothing.

use std::io::Read;

use super::package;

/// What elements of sheets belong to: as Excel writes it, and in the strict form of the standard.
const NAMESPACES: [&str; 2] = [
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
];
/// Where a part declares its prefixes, in bytes from its start.
const HEAD: u64 = 2048;

/// The same file without prefixes; `None` when it has none.
pub(super) fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    package::rewrite(bytes, |name, part| {
        if !name.starts_with("xl/") {
            return None;
        }
        let mut head = Vec::new();
        part.take(HEAD).read_to_end(&mut head).ok()?;
        let prefix = prefix(&String::from_utf8_lossy(&head))?;
        let text = package::text(head, part)?;
        // In text and attributes these would be written `&lt;`.
        Some(
            text.replace(&format!("<{prefix}:"), "<")
                .replace(&format!("</{prefix}:"), "</"),
        )
    })
}

/// The prefix of the elements of a part, if they have one.
fn prefix(head: &str) -> Option<String> {
    NAMESPACES.iter().find_map(|namespace| {
        let at = head.find(&format!("=\"{namespace}\""))?;
        let (_, prefix) = head[..at].rsplit_once("xmlns:")?;
        let is_name = !prefix.is_empty() && prefix.chars().all(char::is_alphanumeric);
        (is_name && head.contains(&format!("<{prefix}:"))).then(|| prefix.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_counts_only_where_elements_have_it() {
        let namespace = NAMESPACES[0];
        let prefixed = format!("<x:worksheet xmlns:r=\"u\" xmlns:x=\"{namespace}\">");
        assert_eq!(prefix(&prefixed).as_deref(), Some("x"));
        let declared = format!("<comments xmlns=\"u\" xmlns:x=\"{namespace}\">");
        assert_eq!(prefix(&declared), None);
        assert_eq!(prefix(&format!("<worksheet xmlns=\"{namespace}\">")), None);
    }
}
