package dev.caisson.audit;

import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.build.Step;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Rules on the commands that a build runs: what they fetch, and whether they check it.
final class CommandRules {
    static final List<Rule<DockerfileUnit>> ALL = List.of(
            Rule.of("pipe-to-shell", CommandRules::unchecked),
            Rule.of("package-check-off", unit -> unit.eachCommand(CommandRules::packageCheck)),
            Rule.of("tls-check-off", CommandRules::tls),
            Rule.of("plain-http", CommandRules::plainHttp),
            Rule.of("update-alone", CommandRules::updateAlone),
            Rule.of("run-insecure", unit -> flag(unit, "security", "insecure", "runs without the sandbox")),
            Rule.of("run-host-network", unit -> flag(unit, "network", "host", "uses the builder's network")));

    static final Set<String> PACKAGE_MANAGERS =
            Set.of("apt-get", "apt", "aptitude", "apk", "yum", "dnf", "microdnf", "zypper", "tdnf", "pacman");
    static final Set<String> INTERPRETERS = Set.of(
            "sh", "bash", "ash", "dash", "zsh", "ksh", "python", "python3", "perl", "ruby", "node", "php", "source",
            ".", "eval");
    static final Set<String> FETCHERS = Set.of("curl", "wget", "fetch", "aria2c", "http");
    /// Programs that fetch sources and packages of programming languages.
    private static final Set<String> CLIENTS = Set.of("git", "npm", "yarn", "pnpm", "gem", "composer", "go");
    private static final Set<String> INSTALLS =
            Set.of("install", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "add", "in", "-y", "satisfy");
    private static final List<String> UNSIGNED = List.of(
            "--allow-unauthenticated",
            "--force-yes",
            "--allow-insecure-repositories",
            "--allow-untrusted",
            "--nogpgcheck",
            "--no-gpg-checks",
            "--no-gpgcheck",
            "--nosignature",
            "--nodigest",
            "--nofiledigest",
            "--no-gpg-check");
    private static final List<String> UNSIGNED_PARTS = List.of(
            "trusted=yes",
            "allowunauthenticated=true",
            "allowunauthenticated \"true\"",
            "allowinsecurerepositories=true",
            "gpgcheck=0",
            "gpgcheck=false",
            "siglevel=never",
            "siglevel = never");
    private static final List<String> TLS_PARTS = List.of(
            "http.sslverify=false",
            "sslverify=false",
            "sslverify=0",
            "verify-peer=false",
            "verify-host=false",
            "verify-peer \"false\"",
            "verify-host \"false\"",
            "goflags=-insecure",
            "strict-ssl=false",
            "wagon.http.ssl.insecure=true",
            "node_tls_reject_unauthorized=0",
            "git_ssl_no_verify=1",
            "git_ssl_no_verify=true",
            "pythonhttpsverify=0",
            "ssl_verify_mode 0",
            "disable-tls true");
    private static final Map<String, Set<String>> TLS_VARIABLES = Map.of(
            "NODE_TLS_REJECT_UNAUTHORIZED", Set.of("0"),
            "PYTHONHTTPSVERIFY", Set.of("0"),
            "GIT_SSL_NO_VERIFY", Set.of("1", "true"),
            "NPM_CONFIG_STRICT_SSL", Set.of("false"),
            "CURL_INSECURE", Set.of("1", "true"),
            "SSL_VERIFY", Set.of("0", "false"),
            "GOINSECURE", Set.of("*"));

    private CommandRules() {}

    /// Finds programs from the network that are run unseen: piped, by a file, or by PowerShell.
    private static List<Verdict> unchecked(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>(unit.eachCommand(CommandRules::pipe));
        verdicts.addAll(FetchedPrograms.judge(unit));
        return verdicts;
    }

    private static Stream<Verdict> pipe(Step step, ShellCommand command) {
        if (!INTERPRETERS.contains(command.name())) {
            return Stream.empty();
        }
        Optional<ShellCommand> fetched = upstream(command);
        boolean substituted = command.argumentWords().stream()
                .anyMatch(word -> FETCHERS.stream()
                        .anyMatch(fetcher -> word.raw().contains("$(" + fetcher + " ")
                                || word.raw().contains("<(" + fetcher + " ")
                                || word.raw().contains("`" + fetcher + " ")));
        if (fetched.isPresent()) {
            return Stream.of(Verdict.fail(
                    command.place()
                            .source()
                            .place(
                                    fetched.get().place().start(),
                                    command.place().end()),
                    "what " + fetched.get().name() + " fetches is run by " + command.name()));
        }
        return substituted
                ? Stream.of(Verdict.fail(command.place(), "what the network sends is run by " + command.name()))
                : Stream.empty();
    }

    /// The fetching command at the head of a pipeline, through `tee`, `gunzip` and the like.
    private static Optional<ShellCommand> upstream(ShellCommand command) {
        Optional<ShellCommand> from = command.pipedFrom();
        while (from.isPresent() && !FETCHERS.contains(from.get().name())) {
            from = from.get().pipedFrom();
        }
        return from.filter(found -> found.place().start() <= command.place().end()
                && found.place().source() == command.place().source());
    }

    private static Stream<Verdict> packageCheck(Step step, ShellCommand command) {
        return command.words().stream()
                .filter(word -> isUnsigned(command, word))
                .map(word -> {
                    Verdict verdict =
                            Verdict.fail(word.place(), command.name() + " does not check signatures: " + cut(word));
                    // the value of an option, or a line of a file, cannot go without what is around it
                    return word.value().startsWith("-") ? verdict.with(dropWord(word)) : verdict;
                })
                .limit(1);
    }

    private static boolean isUnsigned(ShellCommand command, Word word) {
        String value = word.value().toLowerCase(Locale.ROOT);
        boolean manager =
                PACKAGE_MANAGERS.contains(command.name()) || command.name().equals("rpm");
        return (manager && UNSIGNED.contains(value)) || UNSIGNED_PARTS.stream().anyMatch(value::contains);
    }

    private static List<Verdict> tls(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>(unit.eachCommand(CommandRules::tlsOff));
        for (Map.Entry<String, Setting<String>> variable :
                unit.image().environment().entrySet()) {
            String value = variable.getValue().value().toLowerCase(Locale.ROOT);
            Set<String> bad = TLS_VARIABLES.getOrDefault(variable.getKey().toUpperCase(Locale.ROOT), Set.of());
            if (bad.contains(value)) {
                verdicts.add(Verdict.fail(
                        variable.getValue().place(),
                        variable.getKey() + "=" + value + " switches off the check of certificates"));
            }
        }
        return verdicts;
    }

    private static Stream<Verdict> tlsOff(Step step, ShellCommand command) {
        Optional<Word> option = switch (command.name()) {
            case "curl" -> command.option("-k", "--insecure", "--proxy-insecure");
            case "wget" -> command.option("--no-check-certificate");
            case "pip", "pip3", "pipx", "uv" -> command.option("--trusted-host");
            default -> Optional.empty();
        };
        if (option.isPresent()) {
            boolean alone =
                    (option.get().raw().startsWith("--") && !command.name().startsWith("pip"))
                            || option.get().raw().equals("-k");
            Verdict verdict = Verdict.fail(
                    option.get().place(), command.name() + " does not check certificates: " + cut(option.get()));
            return Stream.of(alone ? verdict.with(dropWord(option.get())) : verdict);
        }
        String line = String.join(" ", command.arguments()).toLowerCase(Locale.ROOT);
        boolean configured = (command.name().equals("git") && line.contains("http.sslverify false"))
                || line.contains("strict-ssl false")
                || (line.contains("python") && line.contains("-m pip") && line.contains("--trusted-host"));
        Optional<Word> part = Stream.concat(command.words().stream(), command.assignments().stream())
                .filter(word -> TLS_PARTS.stream().anyMatch(word.value().toLowerCase(Locale.ROOT)::contains))
                .findFirst();
        if (part.isPresent()) {
            return Stream.of(
                    Verdict.fail(part.get().place(), cut(part.get()) + " switches off the check of certificates"));
        }
        return configured
                ? Stream.of(Verdict.fail(command.place(), command.name() + " is told not to check certificates"))
                : Stream.empty();
    }

    private static List<Verdict> plainHttp(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        unit.runs().forEach(step -> {
            boolean verified = unit.commands(step).stream().anyMatch(CommandRules::verifies);
            unit.commands(step).stream()
                    .filter(command -> !verified
                            && (FETCHERS.contains(command.name())
                                    || command.name().startsWith("pip")
                                    || CLIENTS.contains(command.name())))
                    .flatMap(command -> command.argumentWords().stream())
                    .filter(word -> isPlain(word.value()))
                    .forEach(word -> verdicts.add(
                            Verdict.fail(word.place(), Secrets.masked(word.value()) + " is fetched over plain HTTP")
                                    .showing(Secrets.masked(word.value()))));
        });
        unit.steps(Keyword.ADD)
                .filter(step -> step.instruction().flag("checksum").isEmpty())
                .flatMap(step -> step.words().stream())
                .filter(word -> isPlain(word.value()))
                .forEach(
                        word -> verdicts.add(Verdict.fail(word.place(), word.value() + " is fetched over plain HTTP")));
        return verdicts;
    }

    private static boolean isPlain(String word) {
        int at = word.toLowerCase(Locale.ROOT).indexOf("http://");
        if (at < 0 || (at > 0 && word.charAt(at - 1) != '=')) {
            return false;
        }
        String host = word.substring(at + 7);
        return !host.startsWith("localhost")
                && !host.startsWith("127.")
                && !host.startsWith("[::1]")
                && !host.startsWith("$");
    }

    static boolean verifies(ShellCommand command) {
        String name = command.name();
        return (name.matches("sha(?:1|224|256|384|512)sum|md5sum|b2sum|shasum")
                        && !command.arguments().isEmpty())
                || (name.startsWith("gpg") && command.arguments().contains("--verify"))
                || name.equals("gpgv")
                || name.equals("cosign")
                || name.equals("minisign");
    }

    private static List<Verdict> updateAlone(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        unit.runs().forEach(step -> {
            List<ShellCommand> managers = unit.commands(step).stream()
                    .filter(command -> PACKAGE_MANAGERS.contains(command.name()))
                    .toList();
            boolean installs = managers.stream()
                    .anyMatch(command -> command.arguments().stream()
                            .anyMatch(word -> INSTALLS.contains(word) && !word.startsWith("-")));
            managers.stream()
                    .filter(command -> !installs && isListUpdate(command))
                    .forEach(command -> verdicts.add(Verdict.fail(
                            command.place(), command.name() + " update stands in a RUN that installs nothing")));
        });
        return verdicts;
    }

    /// `yum update` and `dnf update` upgrade packages; they update no lists.
    private static boolean isListUpdate(ShellCommand command) {
        return Set.of("apt-get", "apt", "aptitude", "apk").contains(command.name())
                && command.arguments().stream()
                        .filter(word -> !word.startsWith("-"))
                        .findFirst()
                        .filter(word -> word.equals("update"))
                        .isPresent();
    }

    private static List<Verdict> flag(DockerfileUnit unit, String name, String value, String what) {
        return unit.steps(Keyword.RUN)
                .flatMap(step -> step.instruction().flags(name).stream())
                .filter(flag -> flag.value().filter(value::equals).isPresent())
                .map(flag -> Verdict.fail(flag.place(), "a build step " + what)
                        .with(dropWord(new Word("", "", flag.place()))))
                .toList();
    }

    /// Takes a word and the blank before it out.
    static Fix dropWord(Word word) {
        String text = word.place().source().text();
        int start = word.place().start();
        if (start > 0 && text.charAt(start - 1) == ' ') {
            start--;
        }
        return Fixes.replace(
                false, word.place().source().place(start, word.place().end()), "");
    }

    private static String cut(Word word) {
        String value = Secrets.masked(word.value());
        return value.length() > 60 ? value.substring(0, 60) + "…" : value;
    }
}
