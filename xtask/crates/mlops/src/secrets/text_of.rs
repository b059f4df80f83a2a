//! Decodes a file's content for the search, including UTF-16 as written on Windows.

use std::borrow::Cow;

/// The text, with invalid bytes replaced.
pub(super) fn text_of(content: &[u8]) -> Cow<'_, str> {
    let units = |of: fn([u8; 2]) -> u16| {
        let pairs = content[2..].chunks_exact(2);
        pairs
            .map(|pair| of([pair[0], pair[1]]))
            .collect::<Vec<u16>>()
    };
    match content {
        [0xff, 0xfe, ..] => String::from_utf16_lossy(&units(u16::from_le_bytes)).into(),
        [0xfe, 0xff, ..] => String::from_utf16_lossy(&units(u16::from_be_bytes)).into(),
        _ => String::from_utf8_lossy(content),
    }
}

#[cfg(test)]
mod tests {
    use super::text_of;

    #[test]
    fn sixteen_bits_are_read_as_eight() {
        let wide = |of: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}a=1\né".encode_utf16().flat_map(of).collect()
        };
        for content in [
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
            "a=1\né".into(),
        ] {
            assert_eq!(text_of(&content), "a=1\né");
        }
        assert_eq!(text_of(b"\xff\xfe"), "");
        assert_eq!(text_of(b"a\xffb"), "a\u{fffd}b");
    }
}
