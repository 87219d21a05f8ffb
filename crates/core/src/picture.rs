//! How large a picture says it is, read from its header: nothing is decoded.

use crate::organization::LogoType;

/// The width and height of a picture in pixels, as its header gives them; `None` when the header is broken or says nothing.
///
/// Sources: PNG (RFC 2083, 4.1.1), JPEG (ITU-T T.81, B.2.2), WebP (RFC 9649, 2.4 to 2.7).
pub fn dimensions(kind: LogoType, content: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = match kind {
        LogoType::Png => png(content),
        LogoType::Jpeg => jpeg(content),
        LogoType::Webp => webp(content),
    }?;
    (width > 0 && height > 0).then_some((width, height))
}

fn bytes<const N: usize>(content: &[u8], at: usize) -> Option<[u8; N]> {
    content.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn png(content: &[u8]) -> Option<(u32, u32)> {
    let read = |at| bytes(content, at).map(u32::from_be_bytes);
    (content.get(12..16)? == b"IHDR").then_some(())?;
    Some((read(16)?, read(20)?))
}

fn jpeg(content: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        // Any number of bytes 0xff may stand before a marker.
        (*content.get(at)? == 0xff).then_some(())?;
        while *content.get(at)? == 0xff {
            at += 1;
        }
        let marker = *content.get(at)?;
        let segment = at + 1;
        match marker {
            // What stands alone, without a length.
            0x01 | 0xd0..=0xd8 => at = segment,
            // The frame's header; 0xc4, 0xc8 and 0xcc in this range are something else.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let read = |at| bytes(content, at).map(u16::from_be_bytes).map(u32::from);
                return Some((read(segment + 5)?, read(segment + 3)?));
            }
            // The picture itself, or its end: no header came before.
            0xd9 | 0xda => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes(bytes(content, segment)?));
                (length >= 2).then_some(())?;
                at = segment + length;
            }
        }
    }
}

fn webp(content: &[u8]) -> Option<(u32, u32)> {
    match content.get(12..16)? {
        b"VP8 " => {
            (content.get(23..26)? == [0x9d, 0x01, 0x2a]).then_some(())?;
            // The upper two bits of each say how it is to be scaled.
            let read = |at| {
                bytes(content, at)
                    .map(u16::from_le_bytes)
                    .map(|side| u32::from(side & 0x3fff))
            };
            Some((read(26)?, read(28)?))
        }
        b"VP8L" => {
            (*content.get(20)? == 0x2f).then_some(())?;
            let packed = u32::from_le_bytes(bytes(content, 21)?);
            Some(((packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1))
        }
        b"VP8X" => {
            let read = |at| {
                let [low, middle, high]: [u8; 3] = bytes(content, at)?;
                Some(u32::from_le_bytes([low, middle, high, 0]) + 1)
            };
            Some((read(24)?, read(27)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webp_of(kind: &str, rest: &[u8]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP", kind.as_bytes(), b"\0\0\0\0", rest].concat()
    }

    #[test]
    fn every_kind_of_header_says_how_large_the_picture_is() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\0\x03\x08\x06\0\0\0";
        // A comment that looks like a frame's header, fill bytes, then a progressive frame of 800 by 600.
        let jpeg =
            b"\xff\xd8\xff\xfe\x00\x07\xff\xc0\x00\x11\x08\xff\xff\xff\xc2\x00\x11\x08\x02\x58\x03\x20\x03";
        let lossy = webp_of("VP8 ", b"\0\0\0\x9d\x01\x2a\x90\x41\x2c\x01");
        let lossless = webp_of("VP8L", &[0x2f, 0x8f, 0x01, 0x4b, 0x00]);
        let extended = webp_of("VP8X", b"\0\0\0\0\x8f\x01\0\x2b\x01\0");
        for (kind, content, expected) in [
            (LogoType::Png, png.as_slice(), (258, 3)),
            (LogoType::Jpeg, jpeg, (800, 600)),
            (LogoType::Webp, &lossy, (400, 300)),
            (LogoType::Webp, &lossless, (400, 301)),
            (LogoType::Webp, &extended, (400, 300)),
        ] {
            assert_eq!(LogoType::of_content(content), Some(kind));
            assert_eq!(dimensions(kind, content), Some(expected), "{kind}");
            // Cut anywhere, it says the same or nothing.
            for end in 0..content.len() {
                let cut = dimensions(kind, &content[..end]);
                assert!(cut.is_none() || cut == Some(expected), "{kind} {end}");
            }
            assert_eq!(dimensions(kind, &content[..12]), None, "{kind}");
        }
    }

    #[test]
    fn a_picture_without_a_size_has_none() {
        let flat = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\0\0\x08\x06\0\0\0";
        assert_eq!(dimensions(LogoType::Png, flat), None);
        assert_eq!(dimensions(LogoType::Jpeg, b"\xff\xd8\xff\xd9"), None);
        assert_eq!(
            dimensions(LogoType::Jpeg, b"\xff\xd8\xff\xe0\x00\x00\xff\xd9"),
            None
        );
        assert_eq!(dimensions(LogoType::Webp, &webp_of("ALPH", &[0; 32])), None);
    }
}
