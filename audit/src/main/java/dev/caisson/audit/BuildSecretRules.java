package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.build.Step;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Rules on secrets that a build leaves in an image or its history.
final class BuildSecretRules {
    static final List<Rule<DockerfileUnit>> ALL = List.of(
            Rule.of("secret-in-env", BuildSecretRules::environment),
            Rule.of("secret-in-arg", BuildSecretRules::arguments),
            Rule.of("secret-in-label", BuildSecretRules::labels),
            Rule.of("secret-in-command", BuildSecretRules::commands),
            Rule.of("secret-copied", BuildSecretRules::copied));

    private static final Pattern SECRET_FILE = Pattern.compile(
            "(?i)(?:id_(?:rsa|dsa|ecdsa|ed25519)|.*\\.(?:key|p12|pfx|jks|keystore|ppk|kdbx)|.*(?:private|secret|server|tls)[\\w.-]*key[\\w.-]*\\.pem|key\\.pem"
                    + "|\\.env(?:\\.[\\w.-]+)?|\\.npmrc|\\.pypirc|\\.netrc|\\.git-credentials|\\.dockercfg|\\.htpasswd|kubeconfig"
                    + "|\\.aws|\\.ssh|\\.kube|\\.gnupg|\\.git|credentials(?:\\.json)?|secrets?\\.(?:ya?ml|json|txt|env))");
    private static final Pattern EXAMPLE = Pattern.compile("(?i).*(?:example|sample|template|dist|default|\\.pub)$");
    private static final Pattern ARGUMENT = Pattern.compile("([A-Za-z_][A-Za-z0-9_]*)(=?)");

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{?([A-Za-z_][A-Za-z0-9_]*)");

    private BuildSecretRules() {}

    /// Judges the environment of the final stage; that of other stages is in the build's cache only.
    private static List<Verdict> environment(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        for (Stage stage : unit.needed()) {
            boolean last = unit.image().chain().contains(stage);
            unit.build().effective(stage).environment().forEach((name, setting) -> {
                if (stage.extent().contains(setting.place())) {
                    secret(name, setting, "ENV " + name, arguments(stage))
                            .map(verdict -> last ? verdict : verdict.as(Severity.MEDIUM))
                            .ifPresent(verdicts::add);
                }
            });
        }
        return verdicts;
    }

    private static List<Verdict> labels(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        unit.image()
                .labels()
                .forEach((name, setting) -> secret(
                                name,
                                setting,
                                "the label " + name,
                                arguments(unit.build().finalStage()))
                        .ifPresent(verdicts::add));
        return verdicts;
    }

    /// @param arguments names of build arguments, which may give the value
    private static Optional<Verdict> secret(String name, Setting<String> setting, String where, Set<String> arguments) {
        Optional<String> form = Secrets.form(setting.value());
        if (form.isPresent()) {
            return Optional.of(Verdict.fail(setting.place(), where + " holds " + form.get())
                    .showing(name + "=" + Secrets.masked(setting.value())));
        }
        boolean fromArgument =
                setting.value().isEmpty() && namesOneOf(setting.place().text(), arguments);
        return Secrets.isSecretName(name.replace('.', '_').replace('-', '_'))
                        && (Secrets.isSecretValue(setting.value()) || fromArgument)
                ? Optional.of(Verdict.fail(setting.place(), where + " holds a secret")
                        .showing(name + "=" + Secrets.cut(setting.value())))
                : Optional.empty();
    }

    private static boolean namesOneOf(String text, Set<String> arguments) {
        Matcher matcher = VARIABLE.matcher(text);
        return matcher.results().anyMatch(found -> arguments.contains(found.group(1)));
    }

    /// Returns the names that a stage declares by `ARG`; other variables have no value there.
    private static Set<String> arguments(Stage stage) {
        Set<String> names = new HashSet<>();
        stage.instructions().stream()
                .filter(instruction -> instruction.keyword() == Keyword.ARG)
                .forEach(instruction -> {
                    for (String word : instruction.arguments().text().strip().split("\\s+", -1)) {
                        names.add(word.split("=", 2)[0]);
                    }
                });
        return names;
    }

    private static List<Verdict> arguments(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        unit.steps(Keyword.ARG).forEach(step -> {
            for (Word word : step.words()) {
                Matcher matcher = ARGUMENT.matcher(word.raw());
                if (matcher.lookingAt()) {
                    String name = matcher.group(1);
                    String value = word.value().substring(Math.min(word.value().length(), matcher.end()));
                    boolean byName = Secrets.isSecretName(name) && (value.isEmpty() || Secrets.isSecretValue(value));
                    if (byName || Secrets.form(value).isPresent()) {
                        verdicts.add(Verdict.fail(word.place(), "the secret " + name + " is taken as a build argument")
                                .showing("ARG " + name + (value.isEmpty() ? "" : "=" + Secrets.cut(value))));
                    }
                }
            }
        });
        return verdicts;
    }

    private static List<Verdict> commands(DockerfileUnit unit) {
        return Stream.concat(
                        unit.runs(),
                        Stream.of(Keyword.CMD, Keyword.ENTRYPOINT, Keyword.HEALTHCHECK)
                                .flatMap(unit::steps))
                .flatMap(step -> inCommand(unit, step).stream())
                .toList();
    }

    private static List<Verdict> inCommand(DockerfileUnit unit, Step step) {
        Optional<Verdict> formed = formed(
                step.instruction().arguments().text()
                        + step.instruction().heredocs().stream()
                                .map(heredoc -> heredoc.body().text())
                                .reduce("", String::concat),
                step.instruction().place());
        if (formed.isPresent()) {
            return List.of(formed.get());
        }
        List<ShellCommand> commands = unit.commands(step).isEmpty() ? step.commands() : unit.commands(step);
        return commands.stream().flatMap(BuildSecretRules::named).toList();
    }

    private static Optional<Verdict> formed(String text, Place place) {
        return Secrets.form(text)
                .map(form -> Verdict.fail(place, "a command holds " + form)
                        .showing(Secrets.masked(text.lines().findFirst().orElse(""))));
    }

    /// `TOKEN=… program`, `export TOKEN=…`, `--password=…`, `mysql -p…`.
    private static Stream<Verdict> named(ShellCommand command) {
        List<Word> words = command.words();
        int program =
                words.isEmpty() ? 0 : words.size() - command.argumentWords().size() - 1;
        List<Word> before = new ArrayList<>(command.assignments());
        before.addAll(words.subList(0, Math.max(program, 0)));
        return Stream.concat(shown(before), shown(words.subList(Math.max(program, 0), words.size())));
    }

    private static Stream<Verdict> shown(List<Word> words) {
        return Credentials.in(words.stream().map(Word::value).toList()).stream()
                .map(found -> Verdict.fail(
                                words.get(found.index()).place(), "a command holds the secret " + found.name())
                        .showing(found.name() + "=***"));
    }

    /// Files that are copied, and files that the Dockerfile itself holds.
    private static List<Verdict> copied(DockerfileUnit unit) {
        return Stream.concat(copiedFiles(unit), heldFiles(unit)).toList();
    }

    private static Stream<Verdict> heldFiles(DockerfileUnit unit) {
        return Stream.of(Keyword.COPY, Keyword.ADD, Keyword.RUN)
                .flatMap(unit::steps)
                .filter(step -> step.instruction().keyword() != Keyword.RUN || !judgedAsCommand(unit, step))
                .flatMap(step -> step.instruction().heredocs().stream()
                        .flatMap(heredoc -> Secrets.inFile(heredoc.body().text())
                                .map(found -> Verdict.fail(
                                        step.instruction().place(), "a file that is written here holds " + found))
                                .map(verdict -> unit.inFinalImage(step) ? verdict : verdict.as(Severity.MEDIUM))
                                .stream()));
    }

    private static boolean judgedAsCommand(DockerfileUnit unit, Step step) {
        return !inCommand(unit, step).isEmpty();
    }

    private static Stream<Verdict> copiedFiles(DockerfileUnit unit) {
        return Stream.concat(unit.steps(Keyword.COPY), unit.steps(Keyword.ADD))
                .flatMap(step -> step.words().stream()
                        .limit(Math.max(0, step.words().size() - 1))
                        .filter(word -> isSecretFile(word.value()))
                        .map(word -> {
                            Verdict verdict = Verdict.fail(word.place(), word.value() + " is copied into the image");
                            return unit.inFinalImage(step) ? verdict : verdict.as(Severity.MEDIUM);
                        }));
    }

    private static boolean isSecretFile(String path) {
        String name = path.replaceAll("/+$", "");
        name = name.substring(name.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
        return SECRET_FILE.matcher(name).matches() && !EXAMPLE.matcher(name).matches();
    }
}
