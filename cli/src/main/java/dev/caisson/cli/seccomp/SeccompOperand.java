package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HostPath;
import dev.caisson.cli.caller.NamedFile;
import dev.caisson.engine.EngineOptions;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Compiler;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.Profile;
import dev.caisson.watch.LiveFilters;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;

/// An argument of `caisson seccomp`: a profile, a compiled filter in a file, or a process with its filters.
sealed interface SeccompOperand {
    int MAX_FILE = 4 << 20;

    /// A profile in JSON or of Caisson's own.
    record OfProfile(String name, Profile profile) implements SeccompOperand {}

    /// A filter as an array of `struct sock_filter`.
    record OfFile(String name, Filter filter) implements SeccompOperand {}

    /// A process, by its pid or a container's name.
    record OfProcess(String name, LiveFilters live) implements SeccompOperand {}

    /// Reads what is named: `standard` or `default`, `strict`, a file, a pid, or a container.
    static SeccompOperand read(String name, SeccompTarget target) {
        if (isOwn(name) || isFile(name)) {
            return name.endsWith(".bpf")
                    ? new OfFile(name, Filter.of(target.machine(), bytes(name)))
                    : new OfProfile(name, profile(name));
        }
        return new OfProcess(name, LiveFilters.of(process(name)));
    }

    /// A pid, or the program of the container of a name or id.
    static int process(String name) {
        if (name.matches("[1-9][0-9]{0,8}")) {
            return Integer.parseInt(name);
        }
        EngineOptions directories = Caller.current().directories();
        return LiveFilters.programOf(name, directories.data(), directories.state());
    }

    /// A profile of Caisson's own or in a file.
    static Profile profile(String name) {
        return switch (name) {
            case "standard", "default" -> Profile.standard();
            case "strict" -> Profile.strict();
            default -> Profile.parse(new String(bytes(name), java.nio.charset.StandardCharsets.UTF_8));
        };
    }

    private static boolean isOwn(String name) {
        return List.of("standard", "default", "strict").contains(name);
    }

    private static boolean isFile(String name) {
        return name.indexOf('/') >= 0 || Files.isRegularFile(HostPath.of(name));
    }

    private static byte[] bytes(String name) {
        try {
            return NamedFile.read(name, MAX_FILE);
        } catch (IOException e) {
            throw new CommandException(
                    "FILE_REFUSED",
                    CommandException.ENGINE_FAILED,
                    name + " cannot be read; give standard, strict, a profile or a .bpf file (" + e.getMessage() + ")");
        }
    }

    /// The filters that it stands for; none for a process that has none.
    default List<Filter> filters(SeccompTarget target) {
        return switch (this) {
            case OfProfile own -> List.of(Compiler.compile(own.profile(), target.target()));
            case OfFile file -> List.of(file.filter());
            case OfProcess process -> process.live().filters();
        };
    }

    /// The one filter that it stands for.
    default Filter filter(SeccompTarget target) {
        List<Filter> filters = filters(target);
        if (filters.size() != 1) {
            throw new CommandException(
                    "NOT_ONE_FILTER",
                    CommandException.ENGINE_FAILED,
                    "the process has " + filters.size() + " filters; see 'caisson seccomp explain'");
        }
        return filters.getFirst();
    }

    /// Returns the architecture of an operand; filters of this machine's processes are for this machine.
    static Architecture machine(SeccompOperand operand, SeccompTarget target) {
        return operand instanceof OfProcess ? Architecture.host() : target.machine();
    }
}
