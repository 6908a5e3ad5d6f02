package dev.caisson.build;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.build.Assignment;
import dev.caisson.containerfile.build.Base;
import dev.caisson.containerfile.build.ExpansionBudget;
import dev.caisson.containerfile.build.ImageBuild;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.dockerfile.Dockerfile;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Directive;
import dev.caisson.containerfile.dockerfile.Keyword;
import dev.caisson.containerfile.dockerfile.Word;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Platform;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/// The stages of a Dockerfile and which of them a target needs.
final class StageGraph {
    private static final Pattern FRONT_END =
            Pattern.compile("(?:docker\\.io/)?docker/dockerfile(?::1[\\w.-]*|:latest)?(?:@sha256:[0-9a-f]{64})?");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,4}");

    private final ImageBuild build;
    private final Map<String, String> given;
    private final Map<String, String> globals;
    private final Stage target;
    private final Platforms platforms;
    private final ExpansionBudget budget = new ExpansionBudget();
    /// The platforms of stages, by their numbers.
    private final Map<Integer, Platform> known = new ConcurrentHashMap<>();
    private final Map<Integer, Integer> ports = new HashMap<>();

    private StageGraph(
            ImageBuild build,
            Map<String, String> given,
            Map<String, String> globals,
            Stage target,
            Platforms platforms) {
        this.build = build;
        this.given = given;
        this.globals = globals;
        this.target = target;
        this.platforms = platforms;
    }

    /// The aim of a build.
    ///
    /// @param wanted platform of the image
    /// @param obstacle why a platform's images do not run here; empty if they do
    record Platforms(Platform wanted, Function<Platform, Optional<String>> obstacle) {
        /// This host's alone.
        static final Platforms OWN = new Platforms(
                Platform.running(),
                platform -> platform.runsHere() ? Optional.empty() : Optional.of(platform + " is not this host's"));
    }

    /// @param given build arguments from outside
    /// @param target a stage by name or number; empty for the last
    /// @throws BuildException BUILD_SYNTAX, BUILD_TARGET, BUILD_BASE, BUILD_PLATFORM, BUILD_CYCLE
    static StageGraph of(
            Dockerfile dockerfile, Map<String, String> given, Optional<String> target, Platforms platforms) {
        dockerfile.directive("syntax").ifPresent(StageGraph::requireKnown);
        Map<String, String> platform = predefined(target.orElse("default"), platforms.wanted());
        var outside = new HashMap<>(platform);
        outside.putAll(given);
        ImageBuild build = ImageBuild.of(dockerfile, outside, BaseImages.NONE);
        Stage wanted = target.map(name -> find(build, name)).orElseGet(build::finalStage);
        var globals = new HashMap<>(platform);
        globals.putAll(build.globals());
        var graph = new StageGraph(build, Map.copyOf(given), Map.copyOf(globals), wanted, platforms);
        graph.needed().forEach(graph::check);
        return graph;
    }

    private static void requireKnown(Directive syntax) {
        if (!FRONT_END.matcher(syntax.value()).matches()) {
            throw new BuildException(
                    "BUILD_SYNTAX",
                    syntax.extent(),
                    "the front end " + syntax.value()
                            + " is not run here: write # syntax=docker/dockerfile:1, or leave the line out");
        }
    }

    private static Map<String, String> predefined(String target, Platform wanted) {
        var values = new HashMap<String, String>();
        Map.of("BUILD", Platform.running(), "TARGET", wanted).forEach((side, platform) -> {
            values.put(side + "PLATFORM", platform.toString());
            values.put(side + "OS", platform.os());
            values.put(side + "ARCH", platform.architecture());
            values.put(side + "VARIANT", platform.variant());
        });
        values.put("TARGETSTAGE", target);
        return values;
    }

    private static Stage find(ImageBuild build, String name) {
        return build.stage(name.toLowerCase(Locale.ROOT))
                .orElseThrow(() -> new BuildException(
                        "BUILD_TARGET",
                        "there is no stage " + name + " in "
                                + build.dockerfile().source().name() + ": its stages are "
                                + String.join(
                                        ", ",
                                        build.stages().stream()
                                                .map(Stage::label)
                                                .toList())));
    }

    /// Returns the stages that are carried out again: those of these names or numbers, and all that begin with one of
    /// them.
    /// @throws BuildException BUILD_TARGET if there is none of a name
    Set<Integer> again(Set<String> names) {
        var again = new HashSet<Integer>();
        names.forEach(name -> again.add(find(build, name).index()));
        for (Stage stage : build.stages()) { // each after its base
            if (stage.base() instanceof Base.Earlier earlier
                    && again.contains(earlier.stage().index())) {
                again.add(stage.index());
            }
        }
        return again;
    }

    /// Starts to count the ports of a stage, which may be planned again.
    synchronized void beginPorts(Stage stage) {
        ports.put(stage.index(), 0);
    }

    /// Adds to the ports that a stage names.
    /// @return how many all stages name
    synchronized int countPorts(Stage stage, int more) {
        ports.merge(stage.index(), more, Integer::sum);
        return ports.values().stream().mapToInt(Integer::intValue).sum();
    }

    private void check(Stage stage) {
        Platform platform = platform(stage);
        if (!platform.os().equals("linux")) {
            requireInterpreter(stage, stage.from().place());
        }
        stage.instructions().stream()
                .filter(instruction -> instruction.keyword() == Keyword.RUN)
                .findFirst()
                .ifPresent(run -> requireInterpreter(stage, run.place()));
        if (stage.base() instanceof Base.Earlier(Stage earlier) && !platform.equals(platform(earlier))) {
            throw new BuildException(
                    "BUILD_PLATFORM",
                    stage.from().place(),
                    "stage " + earlier.label() + " is for " + platform(earlier) + ", not for " + platform
                            + ": write --platform at that stage's FROM");
        }
        if (stage.base() instanceof Base.Unknown unknown) {
            throw new BuildException(
                    "BUILD_BASE",
                    stage.baseWord().place(),
                    "the base " + unknown.text() + " is no image: " + unknown.reason());
        }
        build.sources(stage).forEach(word -> refuseLater(stage, word));
    }

    /// Refuses a stage whose programs do not run here.
    /// @param place of what runs one
    /// @throws BuildException BUILD_PLATFORM
    void requireInterpreter(Stage stage, Place place) {
        platforms.obstacle().apply(platform(stage)).ifPresent(why -> {
            throw new BuildException("BUILD_PLATFORM", place, why);
        });
    }

    /// Returns the platform of a stage: that of its `FROM`, else of the stage that it begins with, else the image's.
    /// @throws BuildException BUILD_PLATFORM
    Platform platform(Stage stage) {
        Platform before = known.get(stage.index());
        if (before != null) {
            return before;
        }
        Platform found = written(stage)
                .orElseGet(() ->
                        stage.base() instanceof Base.Earlier(Stage earlier) ? platform(earlier) : platforms.wanted());
        known.put(stage.index(), found);
        return found;
    }

    private Optional<Platform> written(Stage stage) {
        Scope scope = new Scope(given, globals, globals, escape(), budget);
        Optional<String> written = new Flags(stage.from(), scope, Set.of("platform")).text("platform");
        try {
            return written.map(Platform::parse);
        } catch (CaissonException e) {
            throw new BuildException("BUILD_PLATFORM", stage.from().place(), e.sentence(), e);
        }
    }

    /// A `from` that names its own stage or a later one can only be a mistake: as an image it would be another thing.
    private void refuseLater(Stage stage, Word word) {
        String name = word.value().toLowerCase(Locale.ROOT);
        if (build.sourceStage(stage, name).isPresent()) {
            return;
        }
        for (Stage later : build.stages().subList(stage.index(), build.stages().size())) {
            if (later.name().filter(name::equals).isPresent()
                    || Integer.toString(later.index()).equals(name)) {
                throw new BuildException(
                        "BUILD_CYCLE",
                        word.place(),
                        "stage " + stage.label() + " copies from stage " + later.label()
                                + ", which is not before it: move that stage up");
            }
        }
        if (NUMBER.matcher(name).matches()) {
            throw new BuildException(
                    "BUILD_STAGE_UNKNOWN",
                    word.place(),
                    "there is no stage " + name + " before this one: stages count from 0");
        }
    }

    /// Returns the stages to build, in the order of the file; the last one is the target.
    List<Stage> needed() {
        return build.reachable(target);
    }

    /// Returns the target, the stage that it begins with, the one that that begins with, and so on.
    Set<Integer> chain() {
        var chain = new HashSet<Integer>();
        Stage stage = target;
        while (chain.add(stage.index()) && stage.base() instanceof Base.Earlier(Stage earlier)) {
            stage = earlier;
        }
        return chain;
    }

    Stage target() {
        return target;
    }

    /// Returns a stage by its number, which is that of an earlier stage that one of the needed names.
    /// @throws BuildException as [#of] if it cannot be built
    Stage stage(int index) {
        Stage stage = build.stages().get(index);
        check(stage);
        return stage;
    }

    char escape() {
        return build.dockerfile().escape();
    }

    /// Returns the earlier stage that a `from` names; empty if it names an image.
    Optional<Stage> source(Stage stage, String name) {
        return build.sourceStage(stage, name.toLowerCase(Locale.ROOT));
    }

    /// Returns the variables at the beginning of a stage.
    Scope scope(Settings base) {
        return new Scope(given, globals, base.environment(), escape(), budget);
    }

    /// Returns build arguments that no `ARG` of the file asks for.
    List<String> unused() {
        var declared = new HashSet<String>(Scope.PROXIES);
        for (var instruction : build.dockerfile().instructions()) {
            if (instruction.keyword() == Keyword.ARG) {
                Assignment.arguments(instruction.arguments(), escape())
                        .forEach(argument -> declared.add(argument.name().value()));
            }
        }
        return given.keySet().stream()
                .filter(name -> !declared.contains(name) && !globals.containsKey(name))
                .sorted()
                .toList();
    }
}
