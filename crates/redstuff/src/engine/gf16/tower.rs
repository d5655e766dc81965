//! The field GF(2^16) as pairs over its subfield GF(2^8).
//!
//! In the Cantor basis of the specification the values below 256 form the subfield, and
//! `s(v) = v^2 + v` moves a value one bit to the right. Value 256, here `u`, therefore obeys
//! `u^2 = u + 128`, and every value is `low + high * u` for exactly one pair of subfield elements,
//! where `high` is the value's high byte and `low` its low byte corrected by a linear function of the
//! high byte. In these *tower coordinates* a product takes a few byte products,
//!
//! ```text
//! (a + b u) (c + d u) = (a c + 128 b d) + (a d + b c + b d) u
//! ```
//!
//! and a factor out of the subfield multiplies the two bytes alike, which most twiddles are.
//! All tables have a row for each of only 256 factors.

/// The field polynomial `x^16 + x^5 + x^3 + x^2 + 1`.
const POLYNOMIAL: u32 = 0x1002d;
/// The Cantor basis: a value stands for the exclusive or of the entries at its set bits.
const BASIS: [u16; 16] = [
    0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e, 0x914c, 0x4012, 0x6c98, 0x10d8, 0x6a72, 0xb900,
    0xfdb8, 0xfb34, 0xff38, 0x991e,
];

/// The polynomial that a value stands for.
const fn polynomial(value: u16) -> u16 {
    let (mut sum, mut bit) = (0, 0);
    while bit < 16 {
        if value >> bit & 1 == 1 {
            sum ^= BASIS[bit];
        }
        bit += 1;
    }
    sum
}

/// The subfield value that stands for a polynomial.
const fn subfield_value(wanted: u16) -> u8 {
    let mut value = 0;
    while polynomial(value) != wanted {
        value += 1;
    }
    assert!(value < 256, "the polynomial lies in the subfield");
    value as u8
}

/// The product of two polynomials.
const fn polynomial_product(a: u16, b: u16) -> u16 {
    let (mut sum, mut bit) = (0_u32, 16);
    while bit > 0 {
        bit -= 1;
        sum <<= 1;
        if sum >> 16 == 1 {
            sum ^= POLYNOMIAL;
        }
        if b >> bit & 1 == 1 {
            sum ^= a as u32;
        }
    }
    sum as u16
}

/// Products of subfield basis elements.
const BASIS_PRODUCTS: [[u8; 8]; 8] = {
    let mut products = [[0; 8]; 8];
    let mut i = 0;
    while i < 8 {
        let mut j = 0;
        while j < 8 {
            products[i][j] = subfield_value(polynomial_product(BASIS[i], BASIS[j]));
            j += 1;
        }
        i += 1;
    }
    products
};

/// The images of the bits of a byte under multiplication by each subfield element: `COLUMNS[a][bit]`
/// is `a * 2^bit`. Everything the kernels know of the subfield follows from these.
pub(super) static COLUMNS: [[u8; 8]; 256] = COLUMNS_CONST;
/// The same to make other tables of.
pub(super) const COLUMNS_CONST: [[u8; 8]; 256] = {
    let mut columns = [[0; 8]; 256];
    let mut factor = 1;
    while factor < 256 {
        // Linear in the factor: add its lowest bit's row to the row of the rest.
        let bit = (factor as u32).trailing_zeros() as usize;
        let mut column = 0;
        while column < 8 {
            columns[factor][column] =
                columns[factor & (factor - 1)][column] ^ BASIS_PRODUCTS[bit][column];
            column += 1;
        }
        factor += 1;
    }
    columns
};

/// The bits of `byte` replaced by their images and added up.
pub(super) const fn apply(columns: &[u8; 8], byte: u8) -> u8 {
    let (mut sum, mut bit) = (0, 0);
    while bit < 8 {
        if byte >> bit & 1 == 1 {
            sum ^= columns[bit];
        }
        bit += 1;
    }
    sum
}

/// What the coordinates' low byte differs by from the value's, for each bit of the high byte:
/// `2^(8+bit) + 2^bit * u` as an element of the subfield.
pub(super) const CORRECTION: [u8; 8] = {
    let mut correction = [0; 8];
    let mut bit = 0;
    while bit < 8 {
        let product = polynomial_product(BASIS[8], BASIS[bit]);
        correction[bit] = subfield_value(BASIS[8 + bit] ^ product);
        bit += 1;
    }
    correction
};

/// The correction for each high byte.
static CORRECTIONS: [u8; 256] = {
    let mut corrections = [0; 256];
    let mut high = 0;
    while high < 256 {
        corrections[high] = apply(&CORRECTION, high as u8);
        high += 1;
    }
    corrections
};

/// The products by `u^2 + u`, which is 128, of each subfield element.
static BY_128: [u8; 256] = {
    let mut products = [0; 256];
    let mut value = 0;
    while value < 256 {
        products[value] = apply(&COLUMNS_CONST[128], value as u8);
        value += 1;
    }
    products
};

/// A field element in tower coordinates, ready to multiply by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tower {
    pub(super) low: u8,
    pub(super) high: u8,
}

impl Tower {
    /// The coordinates of a value of the specification.
    #[inline(always)]
    pub(super) fn new(value: u16) -> Self {
        let [low, high] = value.to_le_bytes();
        Self { low: low ^ CORRECTIONS[usize::from(high)], high }
    }

    /// What a factor multiplies `low` and `high` bytes by to give a product's:
    /// `[low to low, high to low, low to high, high to high]`.
    #[inline(always)]
    pub(super) fn parts(self) -> [u8; 4] {
        [self.low, BY_128[usize::from(self.high)], self.high, self.low ^ self.high]
    }
}

/// Logarithms of values and their inverse, to a base that does not matter.
pub(super) struct Logarithms {
    /// By value; that of zero is 0.
    pub(super) log: Vec<u16>,
    /// By logarithm below [`ORDER`].
    exp: Vec<u16>,
}

/// The number of non-zero field elements, by which logarithms are reduced.
pub(super) const ORDER: u32 = 65_535;

impl Logarithms {
    /// The tables, made when first asked for.
    pub(super) fn get() -> &'static Self {
        static TABLES: std::sync::OnceLock<Logarithms> = std::sync::OnceLock::new();
        TABLES.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut log_of_polynomial = vec![0_u16; 1 << 16];
        let mut power = 1_u32;
        for exponent in 0..ORDER {
            log_of_polynomial[power as usize] = exponent as u16;
            power <<= 1;
            if power > ORDER {
                power ^= POLYNOMIAL;
            }
        }
        let mut polynomials = vec![0_u16; 1 << 16];
        let (mut log, mut exp) = (vec![0; 1 << 16], vec![0; ORDER as usize]);
        for value in 1..1_usize << 16 {
            let bit = value.trailing_zeros() as usize;
            polynomials[value] = polynomials[value & (value - 1)] ^ BASIS[bit];
            log[value] = log_of_polynomial[usize::from(polynomials[value])];
            exp[usize::from(log[value])] = value as u16;
        }
        Self { log, exp }
    }

    /// The value whose logarithm is `exponent` reduced.
    pub(super) fn exp(&self, exponent: u32) -> u16 {
        self.exp[(exponent % ORDER) as usize]
    }

    /// The inverse of a value other than zero.
    pub(super) fn inverse(&self, value: u16) -> u16 {
        self.exp(ORDER - u32::from(self.log[usize::from(value)]))
    }
}
