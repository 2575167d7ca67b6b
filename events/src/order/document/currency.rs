//! The currencies that an order may use.

/// The ISO 4217 codes, from list one, that have a minor unit, in alphabetical order. Prices count minor units, so gold, test
/// codes and units of account without a minor unit are missing, as are withdrawn currencies.
///
/// Read on 2026-11-26 from the list that SIX publishes for ISO, in the copy of 2026-02-01 in
/// <https://github.com/datasets/currency-codes>.
pub const CODES: [&str; 165] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD",
    "BIF", "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF",
    "CHE", "CHF", "CHW", "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CUP", "CVE", "CZK", "DJF",
    "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP",
    "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR",
    "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT",
    "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP",
    "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR",
    "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB",
    "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN",
    "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
    "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED", "VES", "VND", "VUV", "WST", "XAD",
    "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

/// Returns whether the code, in upper case, is in use.
pub fn is_current(code: &str) -> bool {
    CODES.binary_search(&code).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_one_that_prices_can_be_in_today() {
        for code in [
            "EUR", "USD", "JPY", "KWD", "SLE", "ZWG", "XCG", "VES", "XAF", "CHF",
        ] {
            assert!(is_current(code), "{code}");
        }
        let withdrawn = "ANG BGN CUC DEM HRK LTL MRO SLL STD VEF ZWD ZWL";
        let no_money = "XAG XAU XBA XDR XPD XPT XSU XTS XUA XXX";
        for code in withdrawn
            .split(' ')
            .chain(no_money.split(' '))
            .chain(["", "eur", "EURO", "EU", "ABC"])
        {
            assert!(!is_current(code), "{code}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_of_three_letters_each() {
        assert!(CODES.is_sorted_by(|a, b| a < b));
        let is_code =
            |code: &&str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        assert!(CODES.iter().all(is_code));
    }
}
