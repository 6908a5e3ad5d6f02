import org.jspecify.annotations.NullMarked;

/// The command line: one class a command, each of which translates its arguments, asks a lower room and
/// prints the answer. It decides nothing about containers.
@NullMarked
module dev.caisson.cli {
    requires dev.caisson.audit;
    requires dev.caisson.build;
    requires dev.caisson.engine;
    requires dev.caisson.gate;
    requires dev.caisson.hostaudit;
    requires dev.caisson.linux;
    requires dev.caisson.network;
    requires dev.caisson.scan;
    requires dev.caisson.secret;
    requires dev.caisson.selftest;
    requires dev.caisson.text;
    requires info.picocli;
    requires io.avaje.json;
    requires jdk.unsupported;
    requires static org.jspecify;

    opens dev.caisson.cli to
            info.picocli;
    opens dev.caisson.cli.audit to
            info.picocli;
    opens dev.caisson.cli.build to
            info.picocli;
    opens dev.caisson.cli.container to
            info.picocli;
    opens dev.caisson.cli.files to
            info.picocli;
    opens dev.caisson.cli.image to
            info.picocli;
    opens dev.caisson.cli.network to
            info.picocli;
    opens dev.caisson.cli.run to
            info.picocli;
    opens dev.caisson.cli.seccomp to
            info.picocli;
    opens dev.caisson.cli.secret to
            info.picocli;
    opens dev.caisson.cli.snapshot to
            info.picocli;
    opens dev.caisson.cli.stats to
            info.picocli;
    opens dev.caisson.cli.system to
            info.picocli;
    opens dev.caisson.cli.view to
            info.picocli;
    opens dev.caisson.cli.volume to
            info.picocli;
    opens dev.caisson.cli.workspace to
            info.picocli;
}
