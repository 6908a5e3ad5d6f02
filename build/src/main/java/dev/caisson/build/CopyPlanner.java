package dev.caisson.build;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Origin;
import dev.caisson.build.Operation.Source;
import dev.caisson.build.Operation.Unpacking;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Heredoc;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Instruction;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.containerfile.dockerfile.WordSplitter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads a `COPY` or an `ADD`.
final class CopyPlanner {
    private static final Set<String> COPY = Set.of("from", "chown", "chmod", "link", "parents", "exclude");
    private static final Set<String> ADD =
            Set.of("chown", "chmod", "link", "exclude", "checksum", "unpack", "keep-git-dir");
    private static final Pattern HEREDOC = Pattern.compile("<<-?[\"']?([^\"'<]+)[\"']?");
    private static final Pattern CHECKSUM = Pattern.compile("sha256:[0-9a-f]{64}");
    private static final Pattern GIT = Pattern.compile(
            "git@.*|git://.*|ssh://.*|https?://.*\\.git(?:[#?].*)?|https?://github\\.com/[^/]+/[^/]+#.*");

    private final StageGraph graph;
    private final Stage stage;
    private final Scope scope;
    private final Settings settings;

    CopyPlanner(StageGraph graph, Stage stage, Scope scope, Settings settings) {
        this.graph = graph;
        this.stage = stage;
        this.scope = scope;
        this.settings = settings;
    }

    Copy plan(Instruction instruction) {
        boolean add = instruction.keyword() == Keyword.ADD;
        var flags = new Flags(instruction, scope, add ? ADD : COPY);
        flags.isOn("link");
        List<Word> words =
                instruction.json().orElseGet(() -> WordSplitter.split(instruction.arguments(), graph.escape()));
        if (words.size() < 2) {
            throw new BuildException(
                    "BUILD_COPY_ARGUMENTS",
                    instruction.place(),
                    instruction.keyword() + " needs a source and a destination: name both");
        }
        Origin origin = origin(instruction, flags);
        var sources = new ArrayList<Source>();
        for (Word word : words.subList(0, words.size() - 1)) {
            sources.add(source(instruction, word, add));
        }
        TargetPath target = TargetPath.of(
                settings.workingDirectory(),
                value(instruction, words.getLast()),
                words.getLast().place());
        boolean parents = flags.isOn("parents");
        if (sources.size() > 1 && !target.directory()) {
            throw new BuildException(
                    "BUILD_COPY_ARGUMENTS",
                    instruction.place(),
                    "several sources go into a directory: end the destination " + target.path() + " with /");
        }
        boolean addresses = sources.stream().anyMatch(Source.Address.class::isInstance);
        return new Copy(
                origin,
                sources,
                target.directory() && !target.path().equals("/") ? target.path() + "/" : target.path(),
                flags.text("chown").orElse(""),
                flags.text("chmod").map(text -> mode(instruction, text)),
                flags.texts("exclude"),
                parents,
                add ? unpacking(flags) : Unpacking.NONE,
                checksum(instruction, flags, addresses, sources.size()),
                flags.isOn("keep-git-dir"));
    }

    private static Unpacking unpacking(Flags flags) {
        if (flags.text("unpack").isEmpty()) {
            return Unpacking.FILES;
        }
        return flags.isOn("unpack") ? Unpacking.ALL : Unpacking.NONE;
    }

    private String value(Instruction instruction, Word word) {
        return instruction.json().isPresent() ? scope.expand(word.value(), word.place()) : scope.expand(word);
    }

    private Origin origin(Instruction instruction, Flags flags) {
        Optional<String> from = flags.written("from");
        if (from.isEmpty()) {
            return new Origin.Context();
        }
        String name = from.get();
        if (name.isEmpty() || name.indexOf('$') >= 0) {
            throw new BuildException(
                    "BUILD_COPY_FROM",
                    instruction.place(),
                    "--from=" + name + " has a variable or nothing: give that image a stage of its own by FROM");
        }
        Optional<Stage> source = graph.source(stage, name);
        return source.isPresent()
                ? new Origin.Stage(source.get().index())
                : new Origin.Image(name, graph.platform(stage), instruction.place());
    }

    private Source source(Instruction instruction, Word word, boolean add) {
        Matcher heredoc = HEREDOC.matcher(word.raw());
        if (heredoc.matches() && !instruction.heredocs().isEmpty()) {
            return heredoc(instruction, heredoc.group(1));
        }
        String text = value(instruction, word);
        if (text.isEmpty()) {
            throw new BuildException(
                    "BUILD_COPY_ARGUMENTS",
                    word.place(),
                    "a source is empty once its variables are replaced: name a path");
        }
        if (add && GIT.matcher(text).matches()) {
            throw new BuildException(
                    "BUILD_ADD_GIT",
                    word.place(),
                    "a git repository is not fetched: clone it into the context, or in a RUN");
        }
        if (add && (text.startsWith("https://") || text.startsWith("http://"))) {
            return new Source.Address(text, word.place());
        }
        if (text.indexOf('\0') >= 0) {
            throw new BuildException("BUILD_PATH", word.place(), "a source holds a NUL: take it out");
        }
        return new Source.Pattern(text, word.place());
    }

    private Source heredoc(Instruction instruction, String name) {
        for (Heredoc heredoc : instruction.heredocs()) {
            if (heredoc.name().equals(name)) {
                String text = heredoc.body().text();
                return new Source.Inline(name, heredoc.expands() ? scope.expandText(text, instruction.place()) : text);
            }
        }
        throw new BuildException(
                "BUILD_COPY_ARGUMENTS", instruction.place(), "the here-document " + name + " is not there");
    }

    private static ModeChange mode(Instruction instruction, String text) {
        return ModeChange.parse(text)
                .orElseThrow(() -> new BuildException(
                        "BUILD_MODE",
                        instruction.place(),
                        "--chmod=" + text
                                + " is no mode: write an octal number up to 7777, as 0755, or changes, as u=rwX,go-w"));
    }

    private static Optional<String> checksum(Instruction instruction, Flags flags, boolean addresses, int sources) {
        Optional<String> checksum = flags.text("checksum");
        checksum.ifPresent(text -> {
            if (!CHECKSUM.matcher(text).matches()) {
                throw new BuildException(
                        "BUILD_CHECKSUM",
                        instruction.place(),
                        "--checksum=" + text + " is not sha256: and 64 hexadecimal digits");
            }
            if (!addresses || sources != 1) {
                throw new BuildException(
                        "BUILD_CHECKSUM",
                        instruction.place(),
                        "--checksum is of one address: give ADD one source that is an address");
            }
        });
        return checksum;
    }
}
