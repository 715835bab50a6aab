//! The nodes that a workflow may have: ComfyUI's own, as far as Darkroom has what they do.

use super::node_classes::CLASSES;

/// What flows along a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A U-Net.
    Model,
    /// Text encoders.
    Clip,
    /// A VAE.
    Vae,
    /// An encoded prompt.
    Conditioning,
    /// A latent picture.
    Latent,
    /// A picture.
    Image,
    /// A mask.
    Mask,
}

impl Flow {
    /// ComfyUI's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "MODEL",
            Self::Clip => "CLIP",
            Self::Vae => "VAE",
            Self::Conditioning => "CONDITIONING",
            Self::Latent => "LATENT",
            Self::Image => "IMAGE",
            Self::Mask => "MASK",
        }
    }
}

/// What an input takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// What flows along a link.
    Link(Flow),
    /// A whole number in a range.
    Integer {
        /// Where a node begins.
        default: i128,
        /// Least.
        min: i128,
        /// Most.
        max: i128,
        /// Distance between two.
        step: u32,
    },
    /// A number in a range.
    Number {
        /// Where a node begins.
        default: f64,
        /// Least.
        min: f64,
        /// Most.
        max: f64,
    },
    /// Text of several lines, or of one.
    Text {
        /// Where a node begins.
        default: &'static str,
        /// Whether it may have several lines.
        multiline: bool,
    },
    /// One of these names.
    Choice(&'static [&'static str]),
    /// An installed model.
    Checkpoint,
    /// An installed LoRA.
    Lora,
    /// A sampler.
    Sampler,
    /// A noise schedule.
    Schedule,
    /// A picture that was sent, or made before.
    Picture,
}

/// An input of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
}

/// A kind of node.
#[derive(Debug, PartialEq)]
pub struct NodeClass {
    /// Its name in workflows.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Where ComfyUI's menu has it.
    pub category: &'static str,
    /// Its inputs, in order; all are required.
    pub inputs: &'static [Input],
    /// Its outputs by slot.
    pub outputs: &'static [Flow],
    /// Whether a workflow is worked off for its sake.
    pub is_output: bool,
}

impl NodeClass {
    /// The class of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_class_is_found_by_its_name_and_has_each_input_once() {
        for class in CLASSES {
            assert_eq!(NodeClass::find(class.name), Some(class));
            let names: HashSet<_> = class.inputs.iter().map(|input| input.name).collect();
            assert_eq!(names.len(), class.inputs.len(), "{}", class.name);
            assert_eq!(class.is_output, class.outputs.is_empty(), "{}", class.name);
        }
        assert_eq!(NodeClass::find("ControlNetLoader"), None);
    }

    #[test]
    fn every_default_is_allowed() {
        for input in CLASSES.iter().flat_map(|class| class.inputs) {
            match input.kind {
                Kind::Integer { default, min, max, .. } => {
                    assert!((min..=max).contains(&default), "{input:?}");
                }
                Kind::Number { default, min, max } => assert!((min..=max).contains(&default), "{input:?}"),
                Kind::Choice(names) => assert!(!names.is_empty()),
                _ => {}
            }
        }
    }
}
