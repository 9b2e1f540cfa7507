//! The types of the workspace, read from the sources, and the types among them that can hold a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::{
    Attribute, Fields, GenericArgument, Item, PathArguments, ReturnType, Type, TypeParamBound, UseTree,
};

/// The types that were read. Types and modules go by the path of their definition:
/// `checkout_wire::azotte::result::Challenge`.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    modules: BTreeMap<String, Module>,
    pub(crate) types: BTreeMap<String, Definition>,
    /// The definitions `type Name = ...;` in the impls of traits, by name.
    associated: BTreeMap<String, Vec<(String, Vec<Mention>)>>,
    errors: Vec<(String, Mention)>,
}

#[derive(Debug, Default)]
struct Module {
    is_public: bool,
    uses: Vec<Use>,
}

#[derive(Debug)]
struct Use {
    is_public: bool,
    /// `None` for every item of the module.
    name: Option<String>,
    target: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Definition {
    is_public: bool,
    pub(crate) is_alias: bool,
    pub(crate) derives_debug: bool,
    /// The names of the type parameters.
    parameters: Vec<String>,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug)]
pub(crate) struct Field {
    /// The name of the field: the number of a field without a name, and the variant's name for a variant's
    /// field.
    pub(crate) name: String,
    pub(crate) mentions: Vec<Mention>,
}

impl Field {
    /// True if a type of this name is in the field's type.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.mentions.iter().any(|mention| match mention {
            Mention::Path(segments) => segments.last().is_some_and(|last| last == name),
            Mention::Associated(_) => false,
        })
    }
}

/// A type's path in another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mention {
    Path(Vec<String>),
    /// The name in `<T as Trait>::Name`.
    Associated(String),
}

impl Sources {
    /// Reads every crate below `crates`, from its root and along its modules. Tests are left out.
    pub(crate) fn read(crates: &Path) -> Self {
        let mut sources = Self::default();
        for folder in fs::read_dir(crates).unwrap() {
            let folder = folder.unwrap().path();
            let name = folder.file_name().unwrap().to_str().unwrap().replace('-', "_");
            let root = folder.join("src/lib.rs");
            if root.exists() {
                sources.file(&name, &root, &folder.join("src"));
            }
        }
        sources
    }

    /// Reads one text as a crate of this name.
    pub(crate) fn of(name: &str, text: &str) -> Self {
        let mut sources = Self::default();
        sources.add(name, text);
        sources
    }

    pub(crate) fn add(&mut self, name: &str, text: &str) {
        let file = syn::parse_file(text).unwrap();
        self.modules.insert(name.to_owned(), Module { is_public: true, uses: Vec::new() });
        self.items(name, &file.items, None);
    }

    fn file(&mut self, module: &str, path: &Path, below: &Path) {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.modules.entry(module.to_owned()).or_default().is_public |= !module.contains("::");
        self.items(module, &file.items, Some(below));
    }

    fn items(&mut self, module: &str, items: &[Item], below: Option<&Path>) {
        let path_of = |name: &syn::Ident| format!("{module}::{name}");
        #[expect(clippy::wildcard_enum_match_arm, reason = "the rest declares no type")]
        for item in items {
            match item {
                Item::Mod(inner) if !is_test(&inner.attrs) => {
                    let (path, name) = (path_of(&inner.ident), inner.ident.to_string());
                    self.modules.entry(path.clone()).or_default().is_public = is_public(&inner.vis);
                    let deeper = below.map(|below| below.join(&name));
                    match (&inner.content, below, &deeper) {
                        (Some((_, items)), ..) => self.items(&path, items, deeper.as_deref()),
                        (None, Some(below), Some(deeper)) => {
                            let files = [below.join(format!("{name}.rs")), deeper.join("mod.rs")];
                            let file = files.iter().find(|file| file.exists()).unwrap();
                            self.file(&path, file, deeper);
                        }
                        (None, ..) => {}
                    }
                }
                Item::Use(item) => {
                    let module = self.modules.entry(module.to_owned()).or_default();
                    imports(&item.tree, &mut Vec::new(), is_public(&item.vis), &mut module.uses);
                }
                Item::Struct(item) if !is_test(&item.attrs) => {
                    let mut fields = Vec::new();
                    fields_of(&item.fields, None, &mut fields);
                    self.define(path_of(&item.ident), &item.vis, &item.attrs, &item.generics, fields);
                }
                Item::Enum(item) if !is_test(&item.attrs) => {
                    let mut fields = Vec::new();
                    for variant in &item.variants {
                        fields_of(&variant.fields, Some(&variant.ident.to_string()), &mut fields);
                    }
                    self.define(path_of(&item.ident), &item.vis, &item.attrs, &item.generics, fields);
                }
                Item::Type(item) => {
                    let mut field = Field { name: String::new(), mentions: Vec::new() };
                    mentions(&item.ty, &mut field.mentions);
                    self.define(path_of(&item.ident), &item.vis, &item.attrs, &item.generics, vec![field]);
                    self.types.get_mut(&path_of(&item.ident)).unwrap().is_alias = true;
                }
                Item::Impl(item) => {
                    let Some((_, of, _)) = &item.trait_ else { continue };
                    let is_error = of.segments.last().is_some_and(|last| last.ident == "Error");
                    if let (true, Type::Path(of)) = (is_error, &*item.self_ty) {
                        self.errors.push((module.to_owned(), Mention::Path(path(&of.path))));
                    }
                    for inner in &item.items {
                        if let syn::ImplItem::Type(inner) = inner {
                            let mut found = Vec::new();
                            mentions(&inner.ty, &mut found);
                            let of = self.associated.entry(inner.ident.to_string()).or_default();
                            of.push((module.to_owned(), found));
                        }
                    }
                }
                Item::Macro(item) if !is_test(&item.attrs) => {
                    self.declared_by_macro(module, &item.mac.tokens.to_string());
                }
                _ => {}
            }
        }
    }

    fn define(
        &mut self,
        path: String,
        vis: &syn::Visibility,
        attrs: &[Attribute],
        generics: &syn::Generics,
        fields: Vec<Field>,
    ) {
        let derives = derives(attrs);
        let has = |name: &str| derives.iter().any(|derive| derive == name);
        if has("Error") {
            let segments = path.split("::").map(str::to_owned).collect();
            self.errors.push((String::new(), Mention::Path(segments)));
        }
        let definition = Definition {
            is_public: is_public(vis),
            is_alias: false,
            derives_debug: has("Debug"),
            parameters: generics.type_params().map(|parameter| parameter.ident.to_string()).collect(),
            fields,
        };
        self.types.insert(path, definition);
    }

    /// A type within a macro's text counts as if it held everything that the text names.
    fn declared_by_macro(&mut self, module: &str, tokens: &str) {
        // The texts of the macro are left out; most of them are documentation.
        let tokens = tokens.replace("\\\\", "").replace("\\\"", "");
        let tokens = tokens.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let words: Vec<&str> = tokens.split(|c| !word(c)).filter(|word| !word.is_empty()).collect();
        for (at, pair) in words.windows(2).enumerate() {
            let [keyword, name] = pair else { continue };
            let is_name = name.starts_with(|c: char| c.is_ascii_uppercase());
            if !matches!(*keyword, "struct" | "enum") || !is_name {
                continue;
            }
            let mentions = words.iter().map(|word| Mention::Path(vec![(*word).to_owned()])).collect();
            let definition = Definition {
                is_public: at > 0 && words.get(at - 1) == Some(&"pub"),
                fields: vec![Field { name: String::new(), mentions }],
                ..Definition::default()
            };
            self.types.insert(format!("{module}::{name}"), definition);
        }
    }

    /// The definition that a path means there, if the definition is ours. A path that is not ours ends with
    /// its own last name.
    pub(crate) fn resolve(&self, module: &str, segments: &[String]) -> Result<String, String> {
        self.find(module, segments, 0).ok_or_else(|| segments.last().cloned().unwrap_or_default())
    }

    fn find(&self, module: &str, segments: &[String], depth: usize) -> Option<String> {
        let (first, rest) = segments.split_first()?;
        match &**first {
            "crate" => self.inside(module.split("::").next()?, rest, depth),
            "self" => self.inside(module, rest, depth),
            "super" => {
                let parent = module.rsplit_once("::")?.0;
                if rest.first().is_some_and(|next| next == "super") {
                    self.find(parent, rest, depth)
                } else {
                    self.inside(parent, rest, depth)
                }
            }
            _ => self.inside(module, segments, depth).or_else(|| {
                self.modules.get(first).filter(|_| !first.contains("::"))?;
                self.inside(first, rest, depth)
            }),
        }
    }

    fn inside(&self, module: &str, segments: &[String], depth: usize) -> Option<String> {
        let (first, rest) = segments.split_first().filter(|_| depth < 16)?;
        let path = format!("{module}::{first}");
        if rest.is_empty() && self.types.contains_key(&path) {
            return Some(path);
        }
        if !rest.is_empty()
            && self.modules.contains_key(&path)
            && let Some(found) = self.inside(&path, rest, depth + 1)
        {
            return Some(found);
        }
        self.modules.get(module)?.uses.iter().find_map(|import| match &import.name {
            Some(name) if name == first => {
                // A path that begins with itself would mean itself.
                let target = [&import.target[..], rest].concat();
                (target != segments).then(|| self.find(module, &target, depth + 1)).flatten()
            }
            Some(_) => None,
            None => self.find(module, &[&import.target[..], segments].concat(), depth + 1),
        })
    }

    /// The targets of a mention: definitions of ours, and names of others'.
    fn targets(&self, module: &str, mention: &Mention, found: &mut Vec<Result<String, String>>) {
        match mention {
            Mention::Path(segments) => found.push(self.resolve(module, segments)),
            Mention::Associated(name) => {
                for (module, mentions) in self.associated.get(name).into_iter().flatten() {
                    for mention in
                        mentions.iter().filter(|mention| **mention != Mention::Associated(name.clone()))
                    {
                        self.targets(module, mention, found);
                    }
                }
            }
        }
    }

    /// Every definition that can hold a secret: the seeds, and each type with a field of a type that can.
    pub(crate) fn carriers(&self, ours: &[&str], others: &[&str]) -> BTreeSet<String> {
        let mut carriers: BTreeSet<String> = ours.iter().map(|seed| (*seed).to_owned()).collect();
        loop {
            let before = carriers.len();
            for (path, definition) in &self.types {
                if definition.fields.iter().any(|field| self.carries(path, field, &carriers, others)) {
                    carriers.insert(path.clone());
                }
            }
            if carriers.len() == before {
                return carriers;
            }
        }
    }

    pub(crate) fn carries(
        &self,
        of: &str,
        field: &Field,
        carriers: &BTreeSet<String>,
        others: &[&str],
    ) -> bool {
        let module = of.rsplit_once("::").map_or("", |(module, _)| module);
        let mut found = Vec::new();
        field.mentions.iter().for_each(|mention| self.targets(module, mention, &mut found));
        found.iter().any(|target| match target {
            Ok(path) => carriers.contains(path),
            Err(name) => others.contains(&&**name),
        })
    }

    /// Every definition that holds its arguments: a field has the type of a type parameter. A type with a
    /// field of such a type can hold no more than the arguments there.
    pub(crate) fn holders(&self) -> BTreeSet<String> {
        let holds = |definition: &Definition| {
            let of_parameter = |mention: &Mention| match mention {
                Mention::Path(segments) => {
                    segments.first().is_some_and(|first| definition.parameters.contains(first))
                }
                Mention::Associated(_) => false,
            };
            definition.fields.iter().any(|field| field.mentions.iter().any(of_parameter))
        };
        let held = self.types.iter().filter(|(_, definition)| holds(definition));
        held.map(|(path, _)| path.clone()).collect()
    }

    /// The types that are errors, by derive or by impl.
    pub(crate) fn errors(&self) -> BTreeSet<String> {
        let found = self.errors.iter().filter_map(|(module, mention)| match mention {
            Mention::Path(segments) => self.find(module, segments, 0),
            Mention::Associated(_) => None,
        });
        found.collect()
    }

    /// The public paths of every definition that has one, the crate's own before those of the facade.
    pub(crate) fn public(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut public = BTreeMap::new();
        for root in self.modules.keys().filter(|module| !module.contains("::")) {
            self.export(root, root, 0, &mut public);
        }
        public
    }

    fn export(
        &self,
        module: &str,
        shown: &str,
        depth: usize,
        public: &mut BTreeMap<String, BTreeSet<String>>,
    ) {
        let Some(read) = self.modules.get(module).filter(|_| depth < 8) else { return };
        let within = |path: &str| {
            path.strip_prefix(module).and_then(|rest| rest.strip_prefix("::")).map(str::to_owned)
        };
        for (path, definition) in &self.types {
            if let Some(name) = within(path).filter(|name| definition.is_public && !name.contains("::")) {
                public.entry(path.clone()).or_default().insert(format!("{shown}::{name}"));
            }
        }
        for (path, inner) in &self.modules {
            if let Some(name) = within(path).filter(|name| inner.is_public && !name.contains("::")) {
                self.export(path, &format!("{shown}::{name}"), depth + 1, public);
            }
        }
        for import in read.uses.iter().filter(|import| import.is_public) {
            match &import.name {
                Some(name) => {
                    if let Some(path) = self.find(module, &import.target, 0) {
                        public.entry(path).or_default().insert(format!("{shown}::{name}"));
                    }
                    // The facade re-exports whole crates.
                    if let [root] = &import.target[..]
                        && self.modules.contains_key(root)
                    {
                        self.export(root, &format!("{shown}::{name}"), depth + 1, public);
                    }
                }
                None => {
                    let target = import.target.join("::");
                    let target = target.strip_prefix("self::").unwrap_or(&target);
                    self.export(&format!("{module}::{target}"), shown, depth + 1, public);
                }
            }
        }
    }
}

fn is_public(vis: &syn::Visibility) -> bool {
    matches!(vis, syn::Visibility::Public(_))
}

fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            matches!(list.tokens.to_string().as_str(), "test" | "doctest")
        }
        syn::Meta::List(_) | syn::Meta::Path(_) | syn::Meta::NameValue(_) => false,
    })
}

/// The last names of what is derived.
fn derives(attrs: &[Attribute]) -> Vec<String> {
    let mut derived = Vec::new();
    for attr in attrs {
        if let syn::Meta::List(list) = &attr.meta {
            let text = list.tokens.to_string();
            let text = if list.path.is_ident("derive") {
                &text
            } else if list.path.is_ident("cfg_attr") {
                text.split_once("derive").map_or("", |(_, derived)| derived)
            } else {
                continue;
            };
            let names = text.split(['(', ')', ',']).filter_map(|name| name.rsplit("::").next());
            derived.extend(names.map(|name| name.trim().to_owned()));
        }
    }
    derived
}

fn imports(tree: &UseTree, prefix: &mut Vec<String>, is_public: bool, uses: &mut Vec<Use>) {
    let target = |last: &syn::Ident, prefix: &[String]| {
        let mut target = prefix.to_vec();
        if last != "self" {
            target.push(last.to_string());
        }
        target
    };
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            imports(&path.tree, prefix, is_public, uses);
            prefix.pop();
        }
        UseTree::Name(name) => {
            let target = target(&name.ident, prefix);
            uses.push(Use { is_public, name: target.last().cloned(), target });
        }
        UseTree::Rename(rename) => {
            let (name, target) = (Some(rename.rename.to_string()), target(&rename.ident, prefix));
            uses.push(Use { is_public, name, target });
        }
        UseTree::Glob(_) => uses.push(Use { is_public, name: None, target: prefix.clone() }),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| imports(tree, prefix, is_public, uses));
        }
    }
}

fn fields_of(fields: &Fields, variant: Option<&str>, found: &mut Vec<Field>) {
    for (number, field) in fields.iter().enumerate() {
        let unnamed = || variant.map_or_else(|| number.to_string(), str::to_owned);
        let name = field.ident.as_ref().map_or_else(unnamed, ToString::to_string);
        let mut within = Vec::new();
        mentions(&field.ty, &mut within);
        found.push(Field { name, mentions: within });
    }
}

fn path(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Every path within a type, but for what a `PhantomData` names and does not hold.
fn mentions(of: &Type, found: &mut Vec<Mention>) {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest names no other type")]
    match of {
        Type::Path(of) => {
            if of.path.segments.last().is_some_and(|last| last.ident == "PhantomData") {
                return;
            }
            let segments = path(&of.path);
            match &of.qself {
                Some(_) => found.extend(segments.last().cloned().map(Mention::Associated)),
                None => found.push(Mention::Path(segments)),
            }
            of.path.segments.iter().for_each(|segment| arguments(&segment.arguments, found));
        }
        Type::Reference(of) => mentions(&of.elem, found),
        Type::Slice(of) => mentions(&of.elem, found),
        Type::Array(of) => mentions(&of.elem, found),
        Type::Paren(of) => mentions(&of.elem, found),
        Type::Group(of) => mentions(&of.elem, found),
        Type::Ptr(of) => mentions(&of.elem, found),
        Type::Tuple(of) => of.elems.iter().for_each(|of| mentions(of, found)),
        Type::TraitObject(of) => of.bounds.iter().for_each(|of| bound(of, found)),
        Type::ImplTrait(of) => of.bounds.iter().for_each(|of| bound(of, found)),
        _ => {}
    }
}

fn bound(of: &TypeParamBound, found: &mut Vec<Mention>) {
    if let TypeParamBound::Trait(of) = of {
        of.path.segments.iter().for_each(|segment| arguments(&segment.arguments, found));
    }
}

fn arguments(of: &PathArguments, found: &mut Vec<Mention>) {
    match of {
        PathArguments::None => {}
        PathArguments::AngleBracketed(of) => {
            for argument in &of.args {
                if let GenericArgument::Type(of) = argument {
                    mentions(of, found);
                } else if let GenericArgument::AssocType(of) = argument {
                    mentions(&of.ty, found);
                }
            }
        }
        PathArguments::Parenthesized(of) => {
            of.inputs.iter().for_each(|of| mentions(of, found));
            if let ReturnType::Type(_, of) = &of.output {
                mentions(of, found);
            }
        }
    }
}
