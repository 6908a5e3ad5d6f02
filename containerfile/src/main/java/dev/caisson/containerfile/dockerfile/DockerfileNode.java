package dev.caisson.containerfile.dockerfile;

import dev.caisson.containerfile.Place;
import java.util.List;
import java.util.Optional;

/// One piece of a Dockerfile. The extents of a file's nodes follow one another without a gap, so that their texts
/// together are the file.
public sealed interface DockerfileNode {
    /// Whole lines, with their line breaks.
    Place extent();

    /// A parser directive, as `# escape=`` ` ``, at the top of the file.
    record Directive(String name, String value, Place extent) implements DockerfileNode {}

    /// A line that is a comment.
    record Comment(Place extent) implements DockerfileNode {}

    /// A line with nothing on it.
    record Blank(Place extent) implements DockerfileNode {}

    /// An instruction with its continuation lines and heredocs.
    /// @param place from the keyword to the last character of the arguments, heredocs left out
    /// @param arguments what follows the keyword and its flags, continuations and embedded comments taken out
    /// @param json the arguments where they are a JSON array of strings and the instruction takes one
    /// @param trigger what an `ONBUILD` holds
    /// @param comments the comment lines within the instruction
    record Instruction(
            Keyword keyword,
            Place extent,
            Place place,
            List<Flag> flags,
            LogicalText arguments,
            Optional<List<Word>> json,
            List<Heredoc> heredocs,
            Optional<Instruction> trigger,
            List<Place> comments)
            implements DockerfileNode {
        /// The value of the last flag of that name; an empty text where the flag has none.
        public Optional<String> flag(String name) {
            Optional<String> found = Optional.empty();
            for (Flag flag : flags) {
                if (flag.name().equals(name)) {
                    found = Optional.of(flag.value().orElse(""));
                }
            }
            return found;
        }

        /// All flags of that name, as there may be several `--mount`.
        public List<Flag> flags(String name) {
            return flags.stream().filter(flag -> flag.name().equals(name)).toList();
        }
    }

    /// A `--name=value` before the arguments of an instruction.
    record Flag(String name, Optional<String> value, Place place) {}

    /// A here-document of `RUN`, `COPY` or `ADD`.
    /// @param expands whether variables in it are substituted: its delimiter is not quoted
    /// @param tabsStripped whether it began with `<<-`
    record Heredoc(String name, boolean expands, boolean tabsStripped, LogicalText body) {}
}
