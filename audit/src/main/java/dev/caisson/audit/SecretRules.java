package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.Workload;
import dev.caisson.containerfile.Workload.Variable;
import dev.caisson.containerfile.WorkloadOrigin;
import dev.caisson.containerfile.YamlNode.YamlEntry;
import dev.caisson.containerfile.YamlNode.YamlScalar;
import java.util.ArrayList;
import java.util.List;
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
        List<Verdict> verdicts = new ArrayList<>();
        for (Setting<String> argument : workload.arguments()) {
            inText(argument.value(), argument.place(), "a command-line argument of " + workload.name())
                    .ifPresent(verdicts::add);
        }
        for (Variable label : workload.labels()) {
            String value = label.value().orElse("");
            inText(value, label.place(), "the label " + label.name() + " of " + workload.name())
                    .ifPresent(verdicts::add);
        }
        return verdicts;
    }

    /// A token by its form, or `--password=VALUE` and its like.
    private static Optional<Verdict> inText(String text, Place place, String where) {
        Optional<String> form = Secrets.form(text);
        if (form.isPresent()) {
            return Optional.of(
                    Verdict.fail(place, where + " holds " + form.get()).showing(Secrets.masked(text)));
        }
        return Stream.of(text.split("\\s+", -1))
                .filter(word -> word.startsWith("-") && word.indexOf('=') > 0)
                .filter(word -> Secrets.isSecretName(option(word).replace('-', '_'))
                        && Secrets.isSecretValue(word.substring(word.indexOf('=') + 1)))
                .map(word -> Verdict.fail(place, where + " holds the secret " + option(word))
                        .showing(option(word) + "=" + Secrets.cut(word.substring(word.indexOf('=') + 1))))
                .findFirst();
    }

    private static String option(String word) {
        return word.substring(0, word.indexOf('=')).replaceFirst("^-+", "");
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
