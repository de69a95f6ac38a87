//! Models are JSON objects, and some have fields that must agree with each other.
//!
//! Serde's derive also reads a struct from an array, position by position, so that `[]` would pass
//! for a model of optional fields; and it looks at each field alone. A type with
//! `#[serde(remote = "Self")]` gets the derived code as plain functions, and the macro here wraps
//! them: only an object, then `validate` where there is one. So there is no second struct with
//! the same fields, and nobody can read the type unchecked.

/// Implements serde for types with `#[serde(remote = "Self")]`; `checked` ones have `validate`.
macro_rules! object {
    (checked $model:ty) => {
        $crate::object::object!(@with $model, |read: &$model| read.validate());
    };
    ($($model:ty),+ $(,)?) => {
        $($crate::object::object!(@with $model, |_: &$model| Ok::<(), std::convert::Infallible>(()));)+
    };
    (@with $model:ty, $check:expr) => {
        impl serde::Serialize for $model {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                <$model>::serialize(self, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $model {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $model;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$model, A::Error> {
                        let read = <$model>::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                        $check(&read).map_err(serde::de::Error::custom)?;
                        Ok(read)
                    }
                }

                from.deserialize_map(Object)
            }
        }
    };
}

pub(crate) use object;
