//! Our code against the `reed-solomon-simd` crate and against itself.
#![allow(clippy::unwrap_used)]

use reed_solomon_simd::ReedSolomonEncoder;

use super::{Code, Extender, Instructions, Restorer, Scratch};

#[test]
fn smoke() {
    for n in [4, 5, 6, 7, 8, 9, 10, 16, 17, 31, 50, 100, 1000] {
        let f = (n - 1) / 3;
        for source in [n - 2 * f, n - f] {
            let code = Code { source, repair: n - source };
            for instructions in Instructions::ALL.into_iter().filter(|i| i.available()) {
                let bytes = 192;
                let data: Vec<Vec<u8>> = (0..source)
                    .map(|s| (0..bytes).map(|b| (s * 31 + b * 7 + s * b) as u8).collect())
                    .collect();
                let mut encoder = ReedSolomonEncoder::new(source, n - source, bytes).unwrap();
                data.iter().for_each(|d| encoder.add_original_shard(d).unwrap());
                let expected: Vec<Vec<u8>> =
                    encoder.encode().unwrap().recovery_iter().map(<[u8]>::to_vec).collect();
                let mut repair = vec![vec![0; bytes]; n - source];
                let mut scratch = Scratch::default();
                Extender::new(code, instructions).extend(
                    &mut scratch,
                    bytes,
                    &data.iter().map(|d| &d[..]).collect::<Vec<_>>(),
                    &mut repair.iter_mut().map(|d| &mut d[..]).collect::<Vec<_>>(),
                );
                assert!(repair == expected, "{code:?} {instructions}");
                let all: Vec<&[u8]> = data.iter().chain(&repair).map(|d| &d[..]).collect();
                for positions in [
                    (n - source..n).collect::<Vec<_>>(),
                    (0..n).step_by(2).chain((1..n).step_by(2)).take(source).collect(),
                ] {
                    let positions: Vec<u16> = positions.iter().map(|p| *p as u16).collect();
                    let restorer = Restorer::new(code, &positions, instructions);
                    let known: Vec<&[u8]> =
                        positions.iter().map(|p| all[usize::from(*p)]).collect();
                    let mut missing = vec![vec![0; bytes]; restorer.missing().len()];
                    restorer.restore(
                        &mut scratch,
                        bytes,
                        &known,
                        &mut missing.iter_mut().map(|d| &mut d[..]).collect::<Vec<_>>(),
                    );
                    for (position, symbol) in restorer.missing().iter().zip(&missing) {
                        assert!(*symbol == all[usize::from(*position)], "{code:?} {instructions}");
                    }
                }
            }
        }
    }
}
