package dev.caisson.gate;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.KernelText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Reads back from the kernel that a gate's process is confined, every thread of it, before it is given a value.
final class ProcessCheck {
    /// `GATE_FIRST_ID` of `native/gate.h`.
    private static final long FIRST_ID = 0x6fc0_0000L;

    private static final String NONE = "0000000000000000";
    private static final List<String> CAPABILITIES = List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb");
    private static final List<String> NAMESPACES = List.of("mnt", "net", "ipc", "uts", "cgroup");

    private ProcessCheck() {}

    /// @throws GateException GATE_PROCESS with the first thing that is not as it must be
    static void require(int pid) {
        Path process = Path.of("/proc/" + pid);
        try {
            for (String namespace : NAMESPACES) {
                String name = "ns/" + namespace;
                if (Files.readSymbolicLink(process.resolve(name))
                        .equals(Files.readSymbolicLink(Path.of("/proc/self").resolve(name)))) {
                    throw GateException.process("shares the namespace " + namespace + " with the engine");
                }
            }
            requireHidden(process);
            Map<String, String> own = status(Path.of("/proc/self"));
            try (Stream<Path> threads = Files.list(process.resolve("task"))) {
                for (Path thread : threads.toList()) {
                    requireThread(pid, status(thread), own);
                }
            }
        } catch (IOException e) {
            throw GateException.process("cannot be checked: " + e.getMessage());
        }
    }

    /// The files of a process that cannot be dumped belong to root, proc(5).
    private static void requireHidden(Path process) throws IOException {
        if (!Integer.valueOf(0).equals(Files.getAttribute(process.resolve("status"), "unix:uid"))) {
            throw GateException.process("can be dumped");
        }
    }

    private static Map<String, String> status(Path thread) throws IOException {
        Map<String, String> status = new HashMap<>();
        for (String line :
                KernelText.lines(ByteText.read(thread.resolve("status"))).toList()) {
            String[] parts = line.split(":", 2);
            status.put(parts[0], parts.length < 2 ? "" : parts[1].strip());
        }
        return status;
    }

    /// @param own of this process, whose filters the other one has inherited
    static void requireThread(int pid, Map<String, String> status, Map<String, String> own) {
        String id = String.valueOf(FIRST_ID + pid);
        String ids = String.join("\t", id, id, id, id);
        requireIs(status, "Uid", ids);
        requireIs(status, "Gid", ids);
        requireIs(status, "Groups", "");
        requireIs(status, "NoNewPrivs", "1");
        requireIs(status, "Seccomp", "2");
        if (filters(status) <= filters(own)) {
            throw GateException.process("has no filter of system calls but those of the engine");
        }
        CAPABILITIES.forEach(set -> requireIs(status, set, NONE));
    }

    private static int filters(Map<String, String> status) {
        return Integer.parseInt(status.getOrDefault("Seccomp_filters", "0"));
    }

    private static void requireIs(Map<String, String> status, String name, String value) {
        if (!value.equals(status.get(name))) {
            throw GateException.process("has " + name + " " + status.get(name) + " in place of " + value);
        }
    }
}
