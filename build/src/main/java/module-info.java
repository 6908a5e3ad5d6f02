import org.jspecify.annotations.NullMarked;

/// Builds images from Dockerfiles. A pure planner turns each stage into steps with everything resolved; an executor
/// carries them out, each `RUN` in a container of the engine with all its default limits, each `COPY` without any.
@NullMarked
module dev.caisson.build {
    requires transitive dev.caisson.engine;
    requires transitive dev.caisson.containerfile;
    requires dev.caisson.image;
    requires dev.caisson.linux;
    requires dev.caisson.scan;
    requires dev.caisson.text;
    requires io.avaje.json;
    requires java.net.http;
    requires static org.jspecify;

    exports dev.caisson.build;
}
