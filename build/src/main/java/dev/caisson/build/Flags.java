package dev.caisson.build;

import dev.caisson.containerfile.dockerfile.DockerfileNode.Flag;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The flags of an instruction, each of which it must know.
final class Flags {
    private final Instruction instruction;
    private final Scope scope;

    /// @param known names without dashes
    /// @throws BuildException BUILD_FLAG
    Flags(Instruction instruction, Scope scope, Set<String> known) {
        this.instruction = instruction;
        this.scope = scope;
        for (Flag flag : instruction.flags()) {
            if (!known.contains(flag.name())) {
                throw new BuildException(
                        "BUILD_FLAG",
                        flag.place(),
                        instruction.keyword() + " has no option --" + flag.name()
                                + (known.isEmpty()
                                        ? ""
                                        : ": it has --"
                                                + String.join(
                                                        ", --",
                                                        known.stream().sorted().toList())));
            }
        }
    }

    /// Returns the value of a flag that may be given once, with its variables replaced.
    Optional<String> text(String name) {
        return only(name).map(flag -> scope.expand(flag.value().orElse(""), flag.place()));
    }

    /// Returns the value of a flag as it is written.
    Optional<String> written(String name) {
        return only(name).map(flag -> flag.value().orElse(""));
    }

    /// Returns the values of a flag that may be given several times.
    List<String> texts(String name) {
        var texts = new ArrayList<String>();
        for (Flag flag : instruction.flags(name)) {
            texts.add(scope.expand(flag.value().orElse(""), flag.place()));
        }
        return texts;
    }

    /// Returns whether a switch is on.
    boolean isOn(String name) {
        Optional<Flag> flag = only(name);
        if (flag.isEmpty()) {
            return false;
        }
        String value = flag.get().value().orElse("true");
        return switch (value) {
            case "true", "1" -> true;
            case "false", "0" -> false;
            default ->
                throw new BuildException(
                        "BUILD_FLAG", flag.get().place(), "--" + name + "=" + value + " is neither true nor false");
        };
    }

    private Optional<Flag> only(String name) {
        List<Flag> flags = instruction.flags(name);
        if (flags.size() > 1) {
            throw new BuildException(
                    "BUILD_FLAG", flags.getLast().place(), "--" + name + " is given twice: give it once");
        }
        return flags.stream().findFirst();
    }
}
