package dev.caisson.cli.build;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The values of `--ssh`.
final class AgentOptions {
    private static final String OPTION = "--ssh";
    private static final String VARIABLE = "SSH_AUTH_SOCK";

    private AgentOptions() {}

    /// Returns the sockets of agents by their ids.
    static Map<String, Path> parse(List<String> texts) {
        var agents = new LinkedHashMap<String, Path>();
        for (String text : texts) {
            int equals = text.indexOf('=');
            String id = equals < 0 ? text : text.substring(0, equals);
            if (id.isEmpty()) {
                throw CommandException.usage(OPTION + " is ID or ID=SOCKET, as default");
            }
            String given = equals < 0 ? ofCaller() : text.substring(equals + 1);
            if (agents.put(id, Caller.current().path(socket(given))) != null) {
                throw CommandException.usage(OPTION + " has the id " + OneLine.of(id) + " twice: give it once");
            }
        }
        return agents;
    }

    private static String ofCaller() {
        return Caller.current()
                .variable(VARIABLE)
                .filter(path -> !path.isEmpty())
                .orElseThrow(() -> CommandException.usage(OPTION + " needs an agent, and " + VARIABLE
                        + " is not set: start ssh-agent, or give ID=SOCKET"));
    }

    private static String socket(String path) {
        try (Fd found = FileSystem.open(Caller.current().path(path).toString(), FileSystem.O_PATH)) {
            if (!FileSystem.status(found).isSocket()) {
                throw CommandException.refused(
                        OPTION + " with the file " + OneLine.of(path),
                        "keys are not read from files: add it to an agent with ssh-add, and give the agent's socket");
            }
            return path;
        } catch (ErrnoException e) {
            throw CommandException.usage(OPTION + " names " + OneLine.of(path) + ", which cannot be opened ("
                    + e.getMessage() + "): give the socket of an agent");
        }
    }
}
