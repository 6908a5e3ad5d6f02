package dev.caisson.containerfile.build;

import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.ShellScript;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.dockerfile.WordSplitter;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An instruction of a stage with what is in force when it is carried out.
/// @param user the user that it runs as, where one was set before it
/// @param variables values of the `ENV` and `ARG` in scope
/// @param escape the file's escape character
public record Step(
        Stage stage,
        Instruction instruction,
        Optional<Setting<String>> user,
        Map<String, String> variables,
        char escape) {
    /// The instruction that an `ONBUILD` holds. Builds of images that begin with this one carry it out.
    public Optional<Step> trigger() {
        return instruction.trigger().map(held -> new Step(stage, held, user, variables, escape));
    }

    /// The arguments as words: those of the JSON form as they are, those of the other form without quotes.
    public List<Word> words() {
        return instruction.json().orElseGet(() -> WordSplitter.split(instruction.arguments(), escape));
    }

    /// A word with the variables that are known here; the others are left as they are written.
    public String expand(Word word) {
        return Substitution.expand(word.raw(), escape, name -> variables.getOrDefault(name, "$" + name))
                .value();
    }

    /// The shell commands of a `RUN`, or of the shell form of any instruction; here-documents that a shell reads
    /// included.
    public List<ShellCommand> commands() {
        return ShellScript.commands(instruction);
    }
}
