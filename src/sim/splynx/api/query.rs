//! PHP's nested query strings (`main_attributes[status][1][]=not_paid`), parsed as PHP does.
//!
//! **Invariant:** the order of the query is kept; PHP's arrays are ordered.

use url::form_urlencoded;

/// A value of a query: a text, or a PHP array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A text.
    Leaf(String),
    /// Keys and values in the order they came.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value under a key of an array.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Leaf(_) => None,
            Self::Map(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, node)| node),
        }
    }

    /// The pairs of an array; nothing for a text.
    pub(super) fn pairs(&self) -> &[(String, Self)] {
        match self {
            Self::Leaf(_) => &[],
            Self::Map(pairs) => pairs,
        }
    }

    /// The text; nothing for an array.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Leaf(text) => Some(text),
            Self::Map(_) => None,
        }
    }

    fn set(&mut self, path: &[&str], value: String) {
        let Some((key, rest)) = path.split_first() else {
            *self = Self::Leaf(value);
            return;
        };
        if let Self::Leaf(_) = self {
            *self = Self::Map(Vec::new());
        }
        let Self::Map(pairs) = self else { return };
        let key = if key.is_empty() { next_index(pairs) } else { (*key).to_owned() };
        if let Some((_, node)) = pairs.iter_mut().find(|(name, _)| *name == key) {
            return node.set(rest, value);
        }
        let mut node = Self::Map(Vec::new());
        node.set(rest, value);
        pairs.push((key, node));
    }
}

fn next_index(pairs: &[(String, Node)]) -> String {
    let last = pairs.iter().filter_map(|(name, _)| name.parse::<u64>().ok()).max();
    last.map_or(0, |last| last + 1).to_string()
}

/// Parses a query string.
pub(super) fn parse(query: &str) -> Node {
    let mut root = Node::Map(Vec::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        root.set(&path_of(&name), value.into_owned());
    }
    root
}

/// `a[b][]` as `a`, `b` and an empty key.
fn path_of(name: &str) -> Vec<&str> {
    let Some((first, rest)) = name.split_once('[') else { return vec![name] };
    let mut path = vec![first];
    path.extend(rest.trim_end_matches(']').split("]["));
    path
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("limit=1", &["limit"], "1")]
    #[case("main_attributes[number]=7", &["main_attributes", "number"], "7")]
    #[case("main_attributes%5Bname%5D=a+b", &["main_attributes", "name"], "a b")]
    #[case("f[s][0]=IN&f[s][1][]=a&f[s][1][]=b", &["f", "s", "1", "1"], "b")]
    #[case("f[s][0]=IN&f[s][1][0]=a&f[s][1][1]=b", &["f", "s", "1", "0"], "a")]
    #[case("a=1&a=2", &["a"], "2")]
    fn a_query_is_nested_as_php_nests_it(
        #[case] query: &str,
        #[case] path: &[&str],
        #[case] expected: &str,
    ) {
        let root = parse(query);
        let found = path.iter().try_fold(&root, |node, key| node.get(key));
        assert_eq!(found.and_then(Node::text), Some(expected));
    }
}
