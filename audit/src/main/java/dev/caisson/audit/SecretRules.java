package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.LogicalText;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.ShellScript;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.Workload.Variable;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import dev.caisson.containerfile.yaml.YamlNode.YamlEntry;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Rules on secrets that stand where everybody can read them. Values are shown cut short.
final class SecretRules {
    static final List<Rule<Workload>> ALL = List.of(
            Rule.of("secret-in-environment", SecretRules::environment),
            Rule.of("secret-in-arguments", SecretRules::arguments));
    static final List<Rule<Workload>> COMPOSE = List.of(
            Rule.of("env-file-secret", SecretRules::environmentFile),
            Rule.of("build-arg-secret", SecretRules::buildArguments));

    private SecretRules() {}

    private static List<Verdict> environment(Workload workload) {
        return workload.environment().stream()
                .filter(variable -> variable.inFile().isEmpty())
                .flatMap(variable -> variable(variable, workload.name()).stream())
                .toList();
    }

    private static List<Verdict> environmentFile(Workload workload) {
        return workload.environment().stream()
                .filter(variable -> variable.inFile().isPresent())
                .flatMap(variable -> variable(variable, workload.name()).stream())
                .map(verdict -> verdict.as(Severity.MEDIUM))
                .toList();
    }

    /// A secret by its value's form, or by its name with a value worth the name. One that comes from a variable is
    /// not in the file, but in the container's environment all the same.
    private static Optional<Verdict> variable(Variable variable, String owner) {
        String value = variable.value().orElse("");
        Optional<String> form = Secrets.form(value);
        if (form.isPresent()) {
            return Optional.of(Verdict.fail(
                            variable.place(),
                            "the environment of " + owner + " has " + form.get() + " in " + variable.name())
                    .showing(variable.name() + "=" + Secrets.masked(value)));
        }
        if (!Secrets.isSecretName(variable.name())) {
            return Optional.empty();
        }
        if (variable.interpolated()) {
            return Optional.of(Verdict.fail(
                            variable.place(),
                            "the secret " + variable.name() + " reaches " + owner + " through its environment")
                    .as(Severity.LOW)
                    .showing(variable.name() + "=…"));
        }
        return Secrets.isSecretValue(value)
                ? Optional.of(Verdict.fail(
                                variable.place(),
                                "the environment of " + owner + " has the secret " + variable.name() + " in words")
                        .showing(variable.name() + "=" + Secrets.cut(value)))
                : Optional.empty();
    }

    private static List<Verdict> arguments(Workload workload) {
        List<Verdict> verdicts =
                new ArrayList<>(commandLine(workload.arguments(), "a command-line argument of " + workload.name()));
        workload.asides()
                .forEach(words -> verdicts.addAll(commandLine(words, "a health check or hook of " + workload.name())));
        workload.labels().forEach(label -> label(label, workload).ifPresent(verdicts::add));
        return verdicts;
    }

    /// Judges the words of a command line, each once: by its form, as a script, or by the word before it.
    private static List<Verdict> commandLine(List<Setting<String>> words, String where) {
        Map<Place, Verdict> verdicts = new LinkedHashMap<>();
        for (Setting<String> word : words) {
            formed(word.value(), word.place(), where).ifPresent(verdict -> verdicts.put(word.place(), verdict));
            if (word.value().indexOf(' ') > 0) {
                commands(word).stream()
                        .flatMap(command -> named(words(command), where).stream())
                        .forEach(verdict -> verdicts.putIfAbsent(verdict.place(), verdict));
            }
        }
        named(words, where).forEach(verdict -> verdicts.putIfAbsent(verdict.place(), verdict));
        return List.copyOf(verdicts.values());
    }

    /// The commands of a word that is a script or a whole command line.
    private static List<ShellCommand> commands(Setting<String> argument) {
        Source script = Source.of(argument.place().file(), argument.value());
        return ShellScript.commands(LogicalText.of(script, 0, script.length())).stream()
                .map(command -> at(command, argument.place()))
                .toList();
    }

    private static ShellCommand at(ShellCommand command, Place place) {
        return new ShellCommand(
                command.words().stream()
                        .map(word -> new Word(word.value(), word.raw(), place))
                        .toList(),
                command.assignments().stream()
                        .map(word -> new Word(word.value(), word.raw(), place))
                        .toList(),
                List.of(),
                Optional.empty(),
                place);
    }

    private static List<Setting<String>> words(ShellCommand command) {
        return Stream.concat(command.assignments().stream(), command.words().stream())
                .map(word -> new Setting<>(word.value(), word.place()))
                .toList();
    }

    private static List<Verdict> named(List<Setting<String>> words, String where) {
        return Credentials.in(words.stream().map(Setting::value).toList()).stream()
                .map(found -> Verdict.fail(
                                words.get(found.index()).place(), where + " holds the secret " + found.name())
                        .showing(found.name() + "=" + Secrets.cut(found.value())))
                .toList();
    }

    private static Optional<Verdict> label(Variable label, Workload workload) {
        String value = label.value().orElse("");
        String where = "the label " + label.name() + " of " + workload.name();
        Optional<Verdict> formed = formed(value, label.place(), where);
        boolean named = Secrets.isSecretName(label.name().replace('-', '_'))
                && Secrets.isSecretValue(value)
                && !label.interpolated()
                && value.indexOf(' ') < 0;
        return formed.isPresent() || !named
                ? formed
                : Optional.of(Verdict.fail(label.place(), where + " holds a secret")
                        .showing(label.name() + "=" + Secrets.cut(value)));
    }

    private static Optional<Verdict> formed(String text, Place place, String where) {
        return Secrets.form(text)
                .map(form -> Verdict.fail(place, where + " holds " + form).showing(Secrets.masked(text)));
    }

    private static List<Verdict> buildArguments(Workload workload) {
        if (!(workload.origin() instanceof WorkloadOrigin.Compose origin)) {
            return Verdict.none();
        }
        List<Verdict> verdicts = new ArrayList<>();
        origin.service()
                .body()
                .map("build")
                .flatMap(build -> build.map("args"))
                .ifPresent(args -> args.entries()
                        .forEach((name, entry) -> buildArgument(name, entry).ifPresent(verdicts::add)));
        return verdicts;
    }

    private static Optional<Verdict> buildArgument(String name, YamlEntry entry) {
        String value = entry.value() instanceof YamlScalar scalar ? scalar.value() : "";
        boolean byName = Secrets.isSecretName(name) && (value.isEmpty() || Secrets.isSecretValue(value));
        return byName || Secrets.form(value).isPresent()
                ? Optional.of(Verdict.fail(entry.place(), "the build gets the secret " + name + " as an argument")
                        .showing(name + "=" + (value.isEmpty() ? "…" : Secrets.cut(value))))
                : Optional.empty();
    }
}
