import org.jspecify.annotations.NullMarked;

/// Container files as they will take effect: a Dockerfile's stages and final image, a compose project after include,
/// extends, merge and interpolation, and the pods of Kubernetes manifests. Every value keeps the place in the file that
/// decided it. Only parses and models: it judges nothing, starts nothing and needs no network.
@NullMarked
@SuppressWarnings("module") // audit, which most packages are exported to, is compiled later
module dev.caisson.containerfile {
    requires transitive dev.caisson.error;
    requires dev.caisson.linux;
    requires static transitive org.jspecify;
    requires org.snakeyaml.engine;

    exports dev.caisson.containerfile;
    exports dev.caisson.containerfile.build to
            dev.caisson.audit,
            dev.caisson.build;
    exports dev.caisson.containerfile.compose to
            dev.caisson.audit;
    exports dev.caisson.containerfile.dockerfile to
            dev.caisson.audit,
            dev.caisson.build;
    exports dev.caisson.containerfile.kubernetes to
            dev.caisson.audit;
    exports dev.caisson.containerfile.workload to
            dev.caisson.audit;
    exports dev.caisson.containerfile.yaml to
            dev.caisson.audit;
}
