package dev.caisson.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A firewalld in this process's network namespace, with a message bus and settings of its own.
final class Firewalld implements AutoCloseable {
    private static final String BUS = """
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
             "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig><type>system</type><listen>unix:path=@BUS@</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
            <allow send_requested_reply="true" send_type="method_return"/><allow send_type="signal"/>
            <allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/>
            <allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/></policy>
            </busconfig>
            """;

    private final Path directory;
    private final Path bus;
    private final List<Process> started = new ArrayList<>();

    /// @param directory an empty one
    Firewalld(Path directory) {
        this.directory = directory;
        this.bus = directory.resolve("bus");
    }

    void start() throws IOException {
        Path settings = Files.writeString(directory.resolve("bus.conf"), BUS.replace("@BUS@", bus.toString()));
        begin("dbus-daemon", "--config-file=" + settings, "--nofork", "--nopidfile");
        NetworkBed.sh("for i in $(seq 200); do [ -S " + bus + " ] && exit; sleep 0.05; done; exit 1");
        NetworkBed.sh("cp -r /etc/firewalld " + directory);
        begin("/usr/sbin/firewalld", "--nofork", "--nopid", "--system-config=" + directory.resolve("firewalld"));
        NetworkBed.sh("for i in $(seq 300); do " + words("--state") + " && exit; sleep 0.1; done; cat "
                + directory.resolve("log") + "; exit 1");
    }

    private void begin(String... command) throws IOException {
        var builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()));
        builder.environment().put("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=" + bus);
        started.add(builder.start());
    }

    private String words(String command) {
        return "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + bus + " firewall-cmd " + command;
    }

    /// Runs a command of firewall-cmd.
    void command(String command) {
        NetworkBed.sh(words(command));
    }

    /// Ends it as a service manager does, so that its rules go.
    @Override
    public void close() {
        for (Process one : started.reversed()) {
            one.destroy();
            try {
                one.waitFor();
            } catch (InterruptedException e) {
                one.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
