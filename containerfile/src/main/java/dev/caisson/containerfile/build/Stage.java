package dev.caisson.containerfile.build;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.List;
import java.util.Optional;

/// A stage of a Dockerfile: a `FROM` and the instructions up to the next one.
/// @param index its number, from 0
/// @param name what `AS` calls it, in lower case
public record Stage(
        int index, Optional<String> name, Instruction from, Word baseWord, Base base, List<Instruction> instructions) {
    /// The name, or the number of a stage that has none.
    public String label() {
        return name.orElse(Integer.toString(index));
    }

    /// From its `FROM` to the end of its last instruction.
    public Place extent() {
        int end = instructions.isEmpty()
                ? from.extent().end()
                : instructions.getLast().extent().end();
        return from.extent().source().place(from.extent().start(), end);
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
