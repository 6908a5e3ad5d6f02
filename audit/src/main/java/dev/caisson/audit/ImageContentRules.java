package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.build.Step;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Flag;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.ShellCommand;
import dev.caisson.containerfile.dockerfile.Word;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Rules on the files that come into an image: where from, and with what modes.
final class ImageContentRules {
    static final List<Rule<DockerfileUnit>> ALL = List.of(
            Rule.of("remote-add", ImageContentRules::remoteAdd),
            Rule.of("add-for-copy", ImageContentRules::addForCopy),
            Rule.of("context-copied-whole", ImageContentRules::wholeContext),
            Rule.of("world-writable", ImageContentRules::worldWritable),
            Rule.of("setuid-added", ImageContentRules::setuid),
            Rule.of("sudo-used", ImageContentRules::sudo),
            Rule.of("ssh-server", ImageContentRules::sshServer),
            Rule.of("password-set", unit -> unit.eachCommand(ImageContentRules::password)));

    private static final Pattern URL = Pattern.compile("(?i)^(?:https?|ftp)://.*");
    private static final Pattern GIT =
            Pattern.compile("(?i)^(?:git@|git://|ssh://).*|^https?://[^#?]+\\.git(?:[#?].*)?$");
    private static final Pattern COMMIT =
            Pattern.compile(".*(?:#|[?&]checksum=|[?&]commit=)[0-9a-fA-F]{40}(?:[:&].*)?$");
    private static final Pattern ARCHIVE =
            Pattern.compile("(?i).*\\.(?:tar|tgz|tbz2?|txz|tzst|tar\\.(?:gz|bz2|xz|zst|lz4|lzma))$");
    /// Paths of programs; a set-group-ID bit elsewhere is taken for a directory's.
    private static final Pattern PROGRAMS = Pattern.compile("(?:^|/)(?:s?bin|libexec)/[^/]+$|\\.sh$");

    private static final String PROGRAM = "/bin/program";
    private static final String DIRECTORY = "/";
    private static final Set<String> WHOLE = Set.of(".", "./", "*", "./*", "/");
    private static final Set<String> SSH = Set.of("openssh-server", "openssh", "dropbear", "tinyssh");

    private ImageContentRules() {}

    private static List<Word> sources(Step step) {
        List<Word> words = step.words();
        return words.size() < 2 ? List.of() : words.subList(0, words.size() - 1);
    }

    private static List<Verdict> remoteAdd(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        unit.steps(Keyword.ADD)
                .filter(step -> step.instruction().flag("checksum").isEmpty())
                .forEach(step -> {
                    for (Word source : sources(step)) {
                        String name = DockerfileUnit.expanded(step, source);
                        boolean git = GIT.matcher(name).matches();
                        boolean pinned = git && COMMIT.matcher(name).matches();
                        if ((git || URL.matcher(name).matches()) && !pinned) {
                            verdicts.add(
                                    Verdict.fail(source.place(), Secrets.masked(name) + " is added without a checksum")
                                            .showing(Secrets.masked(name)));
                        }
                    }
                });
        return verdicts;
    }

    private static List<Verdict> addForCopy(DockerfileUnit unit) {
        List<Verdict> verdicts = new ArrayList<>();
        unit.steps(Keyword.ADD).forEach(step -> {
            boolean plain = sources(step).stream()
                    .map(source -> DockerfileUnit.expanded(step, source))
                    .allMatch(name -> !URL.matcher(name).matches()
                            && !GIT.matcher(name).matches()
                            && !ARCHIVE.matcher(name).matches()
                            && !name.contains("$")
                            && !name.startsWith("<<"));
            if (plain && !sources(step).isEmpty()) {
                Place place = step.instruction().place();
                Place keyword = place.source().place(place.start(), place.start() + 3);
                boolean copies = step.instruction().flag("keep-git-dir").isEmpty()
                        && step.instruction().flag("unpack").isEmpty();
                Verdict verdict = Verdict.fail(place, "ADD copies local files");
                verdicts.add(copies ? verdict.with(Fixes.replace(true, keyword, "COPY")) : verdict);
            }
        });
        return verdicts;
    }

    private static List<Verdict> wholeContext(DockerfileUnit unit) {
        List<String> let = Stream.of(".git", ".env")
                .filter(name ->
                        unit.ignore().filter(ignore -> ignore.excludes(name)).isEmpty())
                .toList();
        if (let.isEmpty()) {
            return Verdict.none();
        }
        return Stream.concat(unit.steps(Keyword.COPY), unit.steps(Keyword.ADD))
                .filter(step -> step.instruction().flag("from").isEmpty())
                .flatMap(step -> sources(step).stream()
                        .filter(source -> WHOLE.contains(source.value()) && !isExcluded(step, let))
                        .map(source -> Verdict.fail(
                                        step.instruction().place(),
                                        "the whole build context is copied, and no .dockerignore keeps out "
                                                + String.join(" and ", let))
                                .as(unit.hasGit() ? Severity.MEDIUM : Severity.LOW)
                                .with(new Fix.OfLines(true, step.instruction().place(), ".dockerignore", let)))
                        .limit(1))
                .toList();
    }

    private static boolean isExcluded(Step step, List<String> names) {
        List<String> excluded = step.instruction().flags("exclude").stream()
                .map(flag -> flag.value().orElse(""))
                .toList();
        return excluded.containsAll(names);
    }

    private static List<Verdict> worldWritable(DockerfileUnit unit) {
        return modes(unit, (mode, path) -> isWorldWritable(mode), "is made writable for everybody by the mode ");
    }

    private static List<Verdict> setuid(DockerfileUnit unit) {
        return modes(unit, ImageContentRules::isSetuid, "gets a set-id bit by the mode ");
    }

    /// The modes that `chmod`, `install -m` and `--chmod` of the final image's stages give.
    private static List<Verdict> modes(DockerfileUnit unit, BiPredicate<String, String> bad, String what) {
        List<Verdict> verdicts = new ArrayList<>();
        for (Step step : unit.steps()) {
            if (!unit.inFinalImage(step)) {
                continue;
            }
            for (Flag flag : step.instruction().flags("chmod")) {
                String mode = flag.value().orElse("");
                if (bad.test(mode, PROGRAM)) {
                    verdicts.add(Verdict.fail(flag.place(), "what is copied " + what + mode));
                }
            }
            for (ShellCommand command : unit.commands(step)) {
                for (String mode : modesOf(command)) {
                    List<String> arguments = command.arguments();
                    String path = arguments.isEmpty() ? "" : arguments.getLast();
                    boolean directory = command.name().equals("mkdir")
                            || (command.name().equals("install") && command.hasOption("-d", "--directory"));
                    if (bad.test(mode, directory ? DIRECTORY : path)) {
                        verdicts.add(Verdict.fail(command.place(), path + " " + what + mode));
                    }
                }
            }
        }
        return verdicts;
    }

    private static List<String> modesOf(ShellCommand command) {
        return switch (command.name()) {
            case "chmod" ->
                command.arguments().stream()
                        .filter(word -> !word.startsWith("-") || word.matches("-[rwxst]+"))
                        .limit(1)
                        .toList();
            case "install", "mkdir" ->
                command.optionValue("-m", "--mode").stream().toList();
            default -> List.of();
        };
    }

    /// The sticky bit keeps others' files safe, as in /tmp.
    private static boolean isWorldWritable(String mode) {
        if (mode.matches("[0-7]{3,4}")) {
            boolean sticky = mode.length() == 4 && (mode.charAt(0) - '0') % 2 == 1;
            return !sticky && ((mode.charAt(mode.length() - 1) - '0') & 2) != 0;
        }
        return Stream.of(mode.split(",", -1)).anyMatch(part -> part.matches("[ugo]*[oa][ugo]*[+=][rwxXst]*w[rwxXst]*"));
    }

    /// A set-group-ID bit gives a directory's group to the files made in it; on a program it gives a privilege.
    private static boolean isSetuid(String mode, String path) {
        if (path.equals(DIRECTORY)) {
            return false;
        }
        boolean program = PROGRAMS.matcher(path).find();
        if (mode.matches("[0-7]{4,5}")) {
            int bits = mode.charAt(mode.length() - 4) - '0';
            return (bits & 4) != 0 || ((bits & 2) != 0 && program);
        }
        return Stream.of(mode.split(",", -1))
                .anyMatch(part -> part.matches("[goa]*u[ugoa]*[+=][rwxXt]*s[rwxXst]*")
                        || part.matches("[+=][rwxXt]*s[rwxXst]*")
                        || part.matches("[o]*a[goa]*[+=][rwxXt]*s[rwxXst]*")
                        || (program && part.matches("[go]*g[go]*[+=][rwxXt]*s[rwxXst]*")));
    }

    private static List<Verdict> sudo(DockerfileUnit unit) {
        return unit.eachCommand((step, command) -> {
            if (command.wrappedIn("sudo")) {
                return Stream.of(Verdict.fail(command.place(), "a build step uses sudo"));
            }
            return installs(command, Set.of("sudo"))
                    .filter(word -> unit.inFinalImage(step))
                    .map(word -> Verdict.fail(word.place(), "sudo is installed"));
        });
    }

    private static List<Verdict> sshServer(DockerfileUnit unit) {
        return unit.eachCommand((step, command) -> unit.inFinalImage(step)
                ? installs(command, SSH)
                        .filter(word -> !word.value().equals("openssh")
                                || command.name().equals("apk"))
                        .map(word -> Verdict.fail(word.place(), word.value() + " is installed"))
                : Stream.empty());
    }

    private static Stream<Word> installs(ShellCommand command, Set<String> packages) {
        boolean installing = CommandRules.PACKAGE_MANAGERS.contains(command.name())
                && command.arguments().stream()
                        .anyMatch(word -> word.equals("install") || word.equals("add") || word.equals("-S"));
        return installing
                ? command.argumentWords().stream()
                        .filter(word ->
                                packages.contains(word.value().split("=", -1)[0].toLowerCase(Locale.ROOT)))
                : Stream.empty();
    }

    private static Stream<Verdict> password(Step step, ShellCommand command) {
        boolean sets = switch (command.name()) {
            case "chpasswd" -> true;
            case "passwd" ->
                command.hasOption("-d", "--delete", "--stdin")
                        || command.pipedFrom().isPresent();
            case "useradd", "usermod" -> command.option("-p", "--password").isPresent();
            default -> false;
        };
        return sets
                ? Stream.of(Verdict.fail(command.place(), command.name() + " sets or empties a password")
                        .showing(command.name() + " …"))
                : Stream.empty();
    }
}
