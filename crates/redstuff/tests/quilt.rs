//! Quilts: known answers, properties, and indexes and files that lie.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;
use support::{content, list, number, params, sha256, text, xorshift64};
use walrus_redstuff::bcs::Writer;
use walrus_redstuff::quilt::{
    FileOutline, IdentifierError, IndexError, MAX_TAGS_BYTES, NotAQuilt, PatchBlock, PatchError,
    PatchHead, PlanError, QuiltIndex, QuiltPatchId, QuiltPatchIdParseError, QuiltPlan, QuiltShape,
    QuiltSource, Tags, TagsError, index_columns,
};
use walrus_redstuff::{Encoder, ReadAt, Secondary, SliverIndex, SymbolSize, VerifiedSliver};

/// A file to put into a quilt.
#[derive(Debug, Clone)]
struct File {
    identifier: String,
    tags: Tags,
    data: Vec<u8>,
}

impl File {
    fn new(identifier: &str, tags: &[(&str, &str)], data: &[u8]) -> Self {
        let tags = Tags::new(tags.iter().copied()).unwrap();
        Self { identifier: identifier.to_owned(), tags, data: data.to_vec() }
    }

    fn outline(&self) -> FileOutline {
        let (identifier, tags) = (self.identifier.clone(), self.tags.clone());
        FileOutline { identifier, tags, length: self.data.len() as u64 }
    }
}

fn build(n_shards: u16, files: &[File]) -> Result<QuiltSource, PlanError> {
    let plan = QuiltPlan::new(params(n_shards), files.iter().map(File::outline).collect())?;
    let contents = files.iter().map(|file| Arc::new(file.data.clone()) as Arc<dyn ReadAt>);
    Ok(QuiltSource::new(plan, contents.collect()))
}

/// Reads a quilt as somebody does who knows nothing but its bytes.
fn read_all(n_shards: u16, quilt: &Vec<u8>) -> BTreeMap<String, (Tags, Vec<u8>)> {
    let shape = QuiltShape::of_blob(params(n_shards), quilt.len() as u64).unwrap();
    let first = shape.read_columns(quilt, 0..1).unwrap();
    let columns = index_columns(&shape, &first).unwrap();
    let index = shape.read_columns(quilt, 0..columns).unwrap();
    let index = QuiltIndex::from_columns(&shape, &index).unwrap();
    assert_eq!(index.columns(), columns);
    let read = |patch: &walrus_redstuff::quilt::QuiltPatch| {
        let columns = shape.read_columns(quilt, patch.columns()).unwrap();
        let block = PatchBlock::parse(&columns, Some(patch.identifier())).unwrap();
        assert_eq!(block.tags(), patch.tags());
        (patch.identifier().to_owned(), (block.tags().clone(), block.data().to_vec()))
    };
    index.patches().iter().map(read).collect()
}

fn vector_files(case: &Value) -> Vec<File> {
    let file = |file: &Value| {
        let none = serde_json::Map::new();
        let tags = file["tags"].as_object().unwrap_or(&none);
        let tags = Tags::new(tags.iter().map(|(key, value)| (key, text(value)))).unwrap();
        File { identifier: text(&file["identifier"]).to_owned(), tags, data: content(file) }
    };
    list(&case["files"]).iter().map(file).collect()
}

/// If this failed, a quilt of ours could not be read elsewhere or has another name there.
#[test]
fn vectors() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/quilt.json")).unwrap();
    let (mut built, mut refused) = (0, 0);
    for case in list(&vectors["quilts"]) {
        let (id, n_shards) = (text(&case["id"]), number(&case["n_shards"]) as u16);
        let files = vector_files(case);
        let quilt = build(n_shards, &files);
        if let Some(error) = case["expect_error"].as_str() {
            match (error, quilt.err().unwrap()) {
                ("too_many_files", PlanError::TooManyFiles { .. }) => {}
                ("duplicate_identifier", PlanError::DuplicateIdentifier { .. }) => {}
                other => panic!("{id}: {other:?}"),
            }
            refused += 1;
            continue;
        }
        let quilt = quilt.unwrap();
        let bytes = quilt.to_bytes().unwrap();
        assert_eq!(bytes.len() as u64, number(&case["quilt_len"]), "{id}");
        assert_eq!(sha256([&bytes]), text(&case["quilt_sha256"]), "{id}");
        if let Some(full) = case["quilt_hex"].as_str() {
            assert_eq!(hex::encode(&bytes), full, "{id}");
        }
        let index = quilt.plan().index();
        assert_eq!(hex::encode(index.to_bcs()), text(&case["index_bcs_hex"]), "{id}");
        let metadata = Encoder::new(params(n_shards)).compute_metadata(&bytes).unwrap();
        assert_eq!(metadata.blob_id().to_string(), text(&case["blob_id"]), "{id}");
        assert_eq!(metadata.symbol_size(), quilt.plan().shape().symbol_size(), "{id}");
        let patches = list(&case["patches"]);
        assert_eq!(patches.len(), index.patches().len());
        for (patch, expected) in index.patches().iter().zip(patches) {
            assert_eq!(patch.identifier(), text(&expected["identifier"]), "{id}");
            assert_eq!(u64::from(patch.columns().start), number(&expected["start_index"]), "{id}");
            assert_eq!(u64::from(patch.columns().end), number(&expected["end_index"]), "{id}");
            let tags: BTreeMap<_, _> = patch.tags().iter().collect();
            assert_eq!(serde_json::to_value(tags).unwrap(), expected["tags"], "{id}");
            let patch_id = patch.id(*metadata.blob_id());
            assert_eq!(patch_id.to_string(), text(&expected["patch_id"]), "{id}");
            assert_eq!(text(&expected["patch_id"]).parse(), Ok(patch_id));
        }
        check_files(n_shards, &files, &bytes);
        built += 1;
    }
    assert_eq!((built, refused), (6, 2));
}

fn check_files(n_shards: u16, files: &[File], quilt: &Vec<u8>) {
    let mut read = read_all(n_shards, quilt);
    for file in files {
        assert_eq!(read.remove(&file.identifier), Some((file.tags.clone(), file.data.clone())));
    }
    assert!(read.is_empty());
}

/// If this failed, the bytes of the worked examples would differ (section 8.7).
#[test]
fn worked_examples() {
    let tags = [("type", "text"), ("zz", "1"), ("a", "22")];
    let files = [File::new("a.txt", &tags, b"walrus quilt"), File::new("b.txt", &[], b"hello")];
    let quilt = build(7, &files).unwrap();
    let bytes = quilt.to_bytes().unwrap();
    assert_eq!(
        hex::encode(&bytes[..30]),
        "012700000002040005610474657874050005622e012b0000000106000561"
    );
    let id = *Encoder::new(params(7)).compute_metadata(&bytes).unwrap().blob_id();
    assert_eq!(id.to_string(), "OH-wQD-_EaJtMJnEUhlkRu_-izTAkWg51jRl6BSqbqg");
    let patch = quilt.plan().index().by_tag("zz", "1").next().unwrap();
    assert_eq!(patch.id(id).to_string(), "OH-wQD-_EaJtMJnEUhlkRu_-izTAkWg51jRl6BSqbqgBAgAEAA");
    assert_eq!(quilt.plan().index().by_tag("zz", "2").count(), 0);

    let files = [
        File::new("one", &[], &[b'x'; 300]),
        File::new("two", &[("k", "v")], b""),
        File::new("three", &[], &[b'y'; 77]),
    ];
    let quilt = build(10, &files).unwrap();
    let columns = |name| quilt.plan().index().by_identifier(name).unwrap().columns();
    assert_eq!((columns("one"), columns("three"), columns("two")), (1..5, 5..6, 6..7));
    assert_eq!(quilt.len(), 672);
    let id =
        *Encoder::new(params(10)).compute_metadata(&quilt.to_bytes().unwrap()).unwrap().blob_id();
    assert_eq!(id.to_string(), "fnvc3gTdHhDVP90k6d-ak_d7YpGZ8o3QKR_zkwqJF8k");
}

/// If this failed, one file could not be read from a few secondary slivers.
#[test]
fn columns_are_secondary_slivers() {
    let files: Vec<File> = (0..20_u64)
        .map(|i| File::new(&format!("f{i:02}"), &[], &xorshift64(i + 1, 100 * i as usize)))
        .collect();
    let quilt = build(100, &files).unwrap();
    let encoded = Encoder::new(params(100)).encode(&quilt.to_bytes().unwrap()).unwrap();
    for (patch, file) in quilt.plan().index().patches().iter().zip(&files) {
        let columns = patch.columns().flat_map(|column| {
            let sliver: VerifiedSliver<Secondary> = encoded.sliver(SliverIndex(column)).unwrap();
            sliver.data().to_vec()
        });
        let columns: Vec<u8> = columns.collect();
        assert_eq!(PatchBlock::parse(&columns, Some(&file.identifier)).unwrap().data(), file.data);
    }
}

/// If this failed, the encoder would read other bytes in pieces than at once, or past the end.
#[test]
fn any_piece_of_a_quilt_can_be_read() {
    let files = [
        File::new("a", &[], &xorshift64(3, 500)),
        File::new("b", &[("k", "v")], &xorshift64(4, 37)),
    ];
    let quilt = build(10, &files).unwrap();
    let whole = quilt.to_bytes().unwrap();
    let length = whole.len();
    for start in 0..length {
        for piece in [0, 1, 2, 7, 64, 333] {
            let mut buffer = vec![0xaa; piece];
            let read = quilt.read_at(start as u64, &mut buffer);
            match whole.get(start..start + piece) {
                Some(expected) => assert_eq!(buffer, expected, "{start} {piece}"),
                None => assert!(read.is_err(), "{start} {piece}"),
            }
        }
    }
    assert!(quilt.read_at(u64::MAX, &mut [0; 2]).is_err());
    let plan = quilt.plan().clone();
    let short: Vec<Arc<dyn ReadAt>> = vec![Arc::new(vec![0; 499]), Arc::new(vec![0; 37])];
    assert!(QuiltSource::new(plan, short).to_bytes().is_err(), "a file that was cut");
}

/// If this failed, files that fit nowhere would be accepted, or refused without their name.
#[test]
fn files_that_cannot_be_in_a_quilt() {
    let outline = |identifier: &str, length| FileOutline {
        identifier: identifier.to_owned(),
        tags: Tags::none(),
        length,
    };
    let plan = |n, files| QuiltPlan::new(params(n), files);
    assert_eq!(plan(7, vec![]), Err(PlanError::Empty));
    for (name, reason) in [
        ("", IdentifierError::Empty),
        ("a ", IdentifierError::TrailingSpace),
        ("a\u{2003}", IdentifierError::TrailingSpace),
        ("a\nb", IdentifierError::Control),
        ("a\u{85}b", IdentifierError::Control),
        (&"x".repeat(65_532), IdentifierError::TooLong { got: 65_532 }),
    ] {
        let refused = PlanError::Identifier { identifier: name.to_owned(), reason };
        assert_eq!(plan(7, vec![outline(name, 1)]), Err(refused));
    }
    for name in [" a", "_x", "-x", ".x", "ü", &"x".repeat(65_531)] {
        plan(1000, vec![outline(name, 1)]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let long = plan(1000, vec![outline("a", u64::MAX)]);
    assert!(matches!(long, Err(PlanError::FileTooLong { got: u64::MAX, .. })));
    let most = 4_294_967_291;
    assert!(plan(1000, vec![outline("a", most)]).is_ok(), "two bytes of length, two of a name");
    assert!(matches!(plan(1000, vec![outline("a", most + 1)]), Err(PlanError::FileTooLong { .. })));
    let max = params(7).max_blob_size();
    assert_eq!(plan(7, vec![outline("a", max)]), Err(PlanError::TooLarge { max, n_shards: 7 }));
    let full = (0..666).map(|i| outline(&format!("{i}"), 0)).collect();
    assert_eq!(plan(1000, full).unwrap().index().patches().len(), 666);
    let over = (0..667).map(|i| outline(&format!("{i}"), 0)).collect();
    let refused = PlanError::TooManyFiles { max: 666, got: 667, n_shards: 1000 };
    assert_eq!(plan(1000, over), Err(refused));
}

/// If this failed, tags would be serialised in an order that other readers refuse, or two values of one
/// key would be guessed between.
#[test]
fn tags_have_one_order() {
    let (long, longer) = ("k".repeat(255), "k".repeat(256));
    let tags =
        Tags::new([("zz", "1"), ("a", "2"), (&long, "3"), (&longer, "4"), ("", "5")]).unwrap();
    let order: Vec<&str> = tags.iter().map(|(_, value)| value).collect();
    // The length in front of a key of 256 bytes is 80 02, of 255 bytes ff 01.
    assert_eq!(order, ["5", "2", "1", "4", "3"]);
    assert_eq!((tags.get("zz"), tags.get("z")), (Some("1"), None));
    let twice = Tags::new([("a", "1"), ("b", "2"), ("a", "1")]);
    assert_eq!(twice, Err(TagsError::Repeated { key: "a".to_owned() }));
    let fits = "v".repeat(MAX_TAGS_BYTES - 6);
    assert_eq!(Tags::new([("k", &fits)]).unwrap().as_bcs().len(), MAX_TAGS_BYTES);
    assert!(matches!(Tags::new([("k", format!("{fits}v"))]), Err(TagsError::TooLong { .. })));
}

/// What an index claims of a file: where it ends, its name and its tags.
type Claim<'a> = (u16, &'a [u8], &'a [(&'a str, &'a str)]);

/// The serialised form of an index of these files, whether there can be such a one or not.
fn index_bcs(files: &[Claim<'_>]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.count(files.len());
    for (end, name, tags) in files {
        writer.u16(*end);
        writer.bytes(name);
        writer.count(tags.len());
        for (key, value) in *tags {
            writer.bytes(key.as_bytes());
            writer.bytes(value.as_bytes());
        }
    }
    writer.finish()
}

fn shape(n_shards: u16, symbol_size: u16) -> QuiltShape {
    QuiltShape::new(params(n_shards), SymbolSize::new(symbol_size).unwrap())
}

/// If this failed, an index could make a reader fetch foreign columns, give one file two contents, or
/// have two forms.
#[test]
fn indexes_that_lie_are_refused_by_name() {
    // Five columns of 300 bytes; the index takes the first.
    let shape = shape(7, 100);
    let parse = |files: &[Claim<'_>]| QuiltIndex::from_bcs(&shape, &index_bcs(files));
    assert!(parse(&[(2, b"a", &[]), (5, b"b", &[("k", "v")])]).is_ok());
    assert_eq!(parse(&[]).unwrap().patches(), []);
    let overlap = |position, start, end| Err(IndexError::Overlap { position, start, end });
    assert_eq!(parse(&[(1, b"a", &[])]), overlap(0, 1, 1));
    assert_eq!(parse(&[(0, b"a", &[])]), overlap(0, 1, 0));
    assert_eq!(parse(&[(3, b"a", &[]), (3, b"b", &[])]), overlap(1, 3, 3));
    assert_eq!(parse(&[(3, b"a", &[]), (2, b"b", &[])]), overlap(1, 3, 2));
    for end in [6, u16::MAX] {
        let refused = IndexError::OutOfRange { position: 1, end, columns: 5 };
        assert_eq!(parse(&[(2, b"a", &[]), (end, b"b", &[])]), Err(refused));
    }
    let twice = IndexError::DuplicateIdentifier { identifier: "a".to_owned() };
    assert_eq!(parse(&[(2, b"a", &[]), (3, b"a", &[])]), Err(twice));
    let many: [Claim<'_>; 5] = [(1, b"a", &[]); 5];
    assert_eq!(parse(&many), Err(IndexError::TooManyPatches { max: 4, got: 5 }));
    for malformed in [
        index_bcs(&[(2, b"\xff", &[])]),
        index_bcs(&[(2, b"a", &[("b", ""), ("a", "")])]),
        index_bcs(&[(2, b"a", &[("a", ""), ("a", "")])]),
        [&index_bcs(&[(2, b"a", &[])])[..], &[0]].concat(),
        vec![0x81, 0x00, 2, 0, 1, b'a', 0],
        vec![1, 2, 0, 0x81, 0x00, b'a', 0],
        vec![1, 2, 0, 1, b'a', 0xff, 0xff, 0xff, 0xff, 0x07],
        vec![1, 2, 0, 0xff, 0xff, 0xff, 0xff, 0x07],
    ] {
        let refused = QuiltIndex::from_bcs(&shape, &malformed);
        assert!(matches!(refused, Err(IndexError::Malformed(_))), "{malformed:?}: {refused:?}");
    }
    let good = index_bcs(&[(2, b"a", &[]), (5, b"b", &[("k", "v")])]);
    for cut in 0..good.len() {
        assert!(QuiltIndex::from_bcs(&shape, &good[..cut]).is_err(), "{cut}");
    }
    let huge = Tags::new([("k", "v".repeat(MAX_TAGS_BYTES - 6))]).unwrap();
    let mut too_much = vec![1, 30, 0, 1, b'a'];
    too_much.extend(huge.as_bcs());
    too_much[5] = 2;
    too_much.extend([1, b'l', 0]);
    let wide = self::shape(100, 10_000);
    assert!(matches!(QuiltIndex::from_bcs(&wide, &too_much), Err(IndexError::Malformed(_))));
}

/// If this failed, a blob that is no quilt would be taken for one, or its first bytes would make a
/// reader fetch more than an index can take.
#[test]
fn heads_that_lie_are_refused_by_name() {
    let shape = shape(7, 10);
    let head = |version: u8, length: u32| {
        let mut column = vec![version];
        column.extend(length.to_le_bytes());
        column.resize(shape.column_bytes(), 0);
        column
    };
    assert_eq!(index_columns(&shape, &head(1, 0)), Ok(1));
    assert_eq!(index_columns(&shape, &head(1, 25)), Ok(1));
    assert_eq!(index_columns(&shape, &head(1, 26)), Ok(2));
    assert_eq!(index_columns(&shape, &head(1, 145)), Ok(5), "there are only five columns");
    for got in [146, u32::MAX] {
        let refused = IndexError::TooLong { max: 145, got };
        assert_eq!(index_columns(&shape, &head(1, got)), Err(refused));
    }
    for got in [0, 2, 255] {
        assert_eq!(index_columns(&shape, &head(got, 9)), Err(IndexError::Version { got }));
    }
    assert!(matches!(index_columns(&shape, &[1, 0]), Err(IndexError::Malformed(_))));
    let cut = QuiltIndex::from_columns(&shape, &head(1, 26));
    assert_eq!(cut, Err(IndexError::Truncated { needed: 31, got: 30 }));
    let wide = self::shape(100, 2);
    let mut column = head(1, 0);
    column[1..5].copy_from_slice(&(10 * 68 - 4_u32).to_le_bytes());
    let refused = IndexError::TooLong { max: 10 * 68 - 5, got: 10 * 68 - 4 };
    assert_eq!(index_columns(&wide, &column), Err(refused));

    // A column of two symbols of two bytes has no room for version and length.
    for (n_shards, length) in [(4, 12), (7, 29), (7, 0), (7, u64::MAX)] {
        let refused = Err(NotAQuilt { length, n_shards });
        assert_eq!(QuiltShape::of_blob(params(n_shards), length), refused);
    }
    assert_eq!(QuiltShape::of_blob(params(7), 150), Ok(shape));
}

/// If this failed, a file could leave its columns, hide what it is, or pass for another.
#[test]
fn patches_that_lie_are_refused_by_name() {
    let block = |version: u8, length: u32, mask: u8, rest: &[u8]| {
        let mut block = vec![version];
        block.extend(length.to_le_bytes());
        block.push(mask);
        block.extend(rest);
        block
    };
    let named = [2, 0, 1, b'a', b'd', b'a', b't', b'a'];
    let good = block(1, 8, 0, &named);
    let parsed = PatchBlock::parse(&good, Some("a")).unwrap();
    assert_eq!((parsed.identifier(), parsed.data()), ("a", &b"data"[..]));
    assert_eq!(&good[parsed.data_place()], b"data");
    // Of a long file only the beginning is in memory.
    let long = block(1, 4 + 1_000_000, 0, &named);
    let head = PatchHead::parse(&long, 2_000_000, Some("a")).unwrap();
    assert_eq!((head.identifier(), head.data()), ("a", 10..1_000_010));
    let refused = PatchError::TooLong { max: 1_000_003, got: 1_000_004 };
    assert_eq!(PatchHead::parse(&long, 1_000_009, None), Err(refused));
    for cut in 0..10 {
        assert!(PatchHead::parse(&long[..cut], 2_000_000, None).is_err(), "{cut}");
    }
    assert_eq!(PatchBlock::parse(&block(1, 4, 0, &named), None).unwrap().data(), b"");
    let (expected, got) = ("b".to_owned(), "a".to_owned());
    let refused = PatchError::OtherIdentifier { expected, got };
    assert_eq!(PatchBlock::parse(&good, Some("b")), Err(refused));
    for (bytes, error) in [
        (block(0, 8, 0, &named), PatchError::Version { got: 0 }),
        (block(2, 8, 0, &named), PatchError::Version { got: 2 }),
        (block(1, 9, 0, &named), PatchError::TooLong { max: 8, got: 9 }),
        (block(1, u32::MAX, 0, &named), PatchError::TooLong { max: 8, got: u32::MAX }),
        (block(1, 8, 2, &named), PatchError::UnknownMask { got: 2 }),
        (block(1, 8, 0xff, &named), PatchError::UnknownMask { got: 0xff }),
    ] {
        assert_eq!(PatchBlock::parse(&bytes, None), Err(error));
    }
    for bytes in [
        block(1, 3, 0, &named),
        block(1, 8, 0, &[9, 0, 1, b'a', 0, 0, 0, 0]),
        block(1, 8, 0, &[3, 0, 1, b'a', 0, 0, 0, 0]),
        block(1, 8, 0, &[1, 0, 1, b'a', 0, 0, 0, 0]),
        block(1, 8, 0, &[2, 0, 1, 0xff, 0, 0, 0, 0]),
        block(1, 8, 1, &[2, 0, 1, b'a', 9, 0, 0, 0]),
        block(1, 8, 1, &[2, 0, 1, b'a', 2, 0, 0, 0]),
        block(1, 8, 1, &[2, 0, 1, b'a', 0, 0, 0, 0]),
    ] {
        let refused = PatchBlock::parse(&bytes, None);
        assert!(matches!(refused, Err(PatchError::Malformed(_))), "{bytes:?}: {refused:?}");
    }
    for cut in 0..good.len() {
        assert!(PatchBlock::parse(&good[..cut], None).is_err(), "{cut}");
    }
}

/// If this failed, an id could name columns that are not there, have two texts, or a blob id would be
/// taken for a file's.
#[test]
fn patch_ids_have_one_text() {
    let text = "RcU82Mwf-CFkv1LaI_2qcpANwpGUuG3TMwnVzZxD2kYBAQADAA";
    let blob = "RcU82Mwf-CFkv1LaI_2qcpANwpGUuG3TMwnVzZxD2kY";
    let id: QuiltPatchId = text.parse().unwrap();
    assert_eq!((id.quilt_id().to_string().as_str(), id.columns()), (blob, 1..3));
    assert_eq!(id.to_string(), text);
    assert_eq!(QuiltPatchId::from_bytes(&id.to_bytes()), Ok(id));
    assert_eq!(serde_json::from_value::<QuiltPatchId>(text.into()).unwrap(), id);
    assert!(id.fits(&shape(4, 4)));
    let quilt_id: walrus_redstuff::BlobId = blob.parse().unwrap();
    assert!(!QuiltPatchId::new(quilt_id, 1..4).unwrap().fits(&shape(4, 4)));
    #[allow(clippy::reversed_empty_ranges)]
    let nothing = [3..3, 4..3];
    assert!(nothing.into_iter().all(|range| QuiltPatchId::new(quilt_id, range).is_none()));
    use QuiltPatchIdParseError::*;
    let mut wrong = id.to_bytes();
    wrong[32] = 2;
    assert_eq!(QuiltPatchId::from_bytes(&wrong), Err(Version { got: 2 }));
    let mut wrong = id.to_bytes();
    wrong[35] = 1;
    assert_eq!(QuiltPatchId::from_bytes(&wrong), Err(NoColumns { start: 1, end: 1 }));
    for (text, error) in [
        (blob.to_owned(), BlobId),
        (String::new(), Length { got: 0 }),
        (format!("{text}A"), Length { got: 51 }),
        (text[..43].replace('-', "!"), Length { got: 43 }),
        (format!("{}B", &text[..49]), Base64),
        (format!("{}=", &text[..49]), Base64),
        (text.replace('-', "+"), Base64),
    ] {
        assert_eq!(text.parse::<QuiltPatchId>(), Err(error), "{text}");
    }
}

fn files() -> impl Strategy<Value = Vec<File>> {
    let name = "[a-zß🐋\u{ffff}][/a-z .é]{0,12}[a-z]";
    let data = prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 0..200),
        1 => proptest::collection::vec(any::<u8>(), 0..5000),
    ];
    let tags = proptest::collection::btree_map("[a-z]{0,3}", "[a-zé]{0,5}", 0..4);
    let file = (tags, data);
    proptest::collection::btree_map(name, file, 1..40).prop_map(|files| {
        let file =
            |(identifier, (tags, data))| File { identifier, tags: Tags::new(tags).unwrap(), data };
        files.into_iter().map(file).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// If this failed, a file would not come out of a quilt as it went in.
    #[test]
    fn whatever_is_built_is_read(files in files(), n in prop::sample::select(vec![4, 5, 7, 10, 31, 64, 100])) {
        let most = usize::from(params(n).secondary_source_symbols()) - 1;
        let files: Vec<File> = files.into_iter().rev().take(most).collect();
        let bytes = build(n, &files).unwrap().to_bytes().unwrap();
        check_files(n, &files, &bytes);
    }

    /// If this failed, some bytes of a stranger's quilt would crash its reader, or an index would have
    /// two forms.
    #[test]
    fn changed_bytes_never_panic(
        files in files(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let quilt = build(64, &files).unwrap();
        let shape = *quilt.plan().shape();
        let mut bytes = quilt.to_bytes().unwrap();
        let index_columns_of = quilt.plan().index().columns();
        for (place, value) in &changes {
            // Half of them at the start of the index, where they do most harm.
            let place = place.index(bytes.len());
            let place = if value % 2 == 0 { place % 20 } else { place };
            bytes[place] = *value;
        }
        for at in 0..shape.columns() {
            let columns = shape.read_columns(&bytes, at..shape.columns()).unwrap();
            let _ = PatchBlock::parse(&columns, None);
            let _ = PatchBlock::parse(&columns[..cut.index(columns.len() + 1)], Some("a"));
        }
        let first = shape.read_columns(&bytes, 0..1).unwrap();
        if let Ok(columns) = index_columns(&shape, &first) {
            let columns = shape.read_columns(&bytes, 0..columns).unwrap();
            if let Ok(index) = QuiltIndex::from_columns(&shape, &columns) {
                prop_assert_eq!(&index.to_bcs()[..], &columns[5..5 + index.to_bcs().len()]);
                let ends = index.patches().iter().map(|patch| patch.columns());
                ends.fold(index.columns(), |last, columns| {
                    assert!(last == columns.start && columns.start < columns.end);
                    assert!(columns.end <= shape.columns());
                    columns.end
                });
            }
        }
        let columns = shape.read_columns(&bytes, 0..index_columns_of).unwrap();
        let _ = QuiltIndex::from_columns(&shape, &columns[..cut.index(columns.len() + 1)]);
    }

    /// If this failed, bytes that are nothing at all would crash a reader.
    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), z in 1_u16..40) {
        let shape = shape(10, 2 * z);
        let _ = index_columns(&shape, &bytes);
        let _ = QuiltIndex::from_columns(&shape, &bytes);
        let _ = QuiltIndex::from_bcs(&shape, &bytes);
        let _ = PatchBlock::parse(&bytes, None);
        let _ = String::from_utf8_lossy(&bytes).parse::<QuiltPatchId>();
    }
}
