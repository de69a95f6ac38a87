//! Takes secrets out of text and JSON, by key and by URL grammar.
