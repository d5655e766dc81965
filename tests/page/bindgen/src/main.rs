//! `walrus-page-bindgen MODULE FOLDER`: writes a module for browsers, and its way in, as `redstuff`.

use std::env;
use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        return Err("usage: walrus-page-bindgen MODULE FOLDER".into());
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("redstuff").web(true)?.typescript(false);
    bindgen.omit_default_module_path(true).remove_producers_section(true).remove_name_section(true);
    Ok(bindgen.generate(folder)?)
}
