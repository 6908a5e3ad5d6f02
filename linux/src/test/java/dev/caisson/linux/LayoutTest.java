package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Sizes, offsets and system call numbers here are what this machine's C compiler makes of the kernel's headers.
class LayoutTest {
    private static final Map<String, StructLayout> STRUCTS = Map.of(
            "struct open_how", FileSystem.OPEN_HOW,
            "struct statx", FileStatus.LAYOUT,
            "struct mount_attr", Mounts.MOUNT_ATTR,
            "struct msghdr", Sockets.MSGHDR,
            "struct iovec", Sockets.IOVEC,
            "struct cmsghdr", Sockets.CMSGHDR,
            "struct winsize", Terminal.WINSIZE,
            "struct termios", Terminal.KERNEL_TERMIOS,
            "struct if_dqblk", ProjectQuota.DQBLK,
            "struct fsxattr", ProjectQuota.FSXATTR);

    /// Fields that a layout puts together under a name of its own.
    private static final java.util.Set<String> OWN_NAMES = java.util.Set.of("padding", "access_and_birth", "spare");

    @TempDir
    private Path directory;

    @Test
    void layouts_are_those_of_the_headers() throws Exception {
        var program = new StringBuilder();
        Map<String, Long> ours = new TreeMap<>();
        STRUCTS.forEach((struct, layout) -> {
            program.append("P(\"%s\", sizeof(%s));\n".formatted(struct, struct));
            ours.put(struct, layout.byteSize());
            for (MemoryLayout member : layout.memberLayouts()) {
                String field = member.name().orElse("padding");
                if (!OWN_NAMES.contains(field)) {
                    String inC = field.replaceFirst("_nsec$", ".tv_nsec");
                    program.append("P(\"%s.%s\", offsetof(%s, %s));\n".formatted(struct, field, struct, inC));
                    ours.put(struct + "." + field, layout.byteOffset(PathElement.groupElement(field)));
                }
            }
        });
        program.append("P(\"loop_config\", sizeof(struct loop_config));\n");
        program.append("P(\"loop_config.flags\", offsetof(struct loop_config, info.lo_flags));\n");
        ours.put("loop_config", LoopDevices.LOOP_CONFIG.byteSize());
        ours.put("loop_config.flags", LoopDevices.LOOP_CONFIG.byteOffset(PathElement.groupElement("lo_flags")));
        program.append("P(\"epoll_event\", sizeof(struct epoll_event));\n");
        program.append("P(\"epoll_event.data\", offsetof(struct epoll_event, data));\n");
        ours.put("epoll_event", (long) Polling.EVENT_SIZE);
        ours.put("epoll_event.data", (long) Polling.EVENT_DATA);

        assertThat(ours).isEqualTo(compiled(program.toString()));
    }

    @Test
    void system_call_numbers_are_those_of_the_headers() throws Exception {
        var program = new StringBuilder();
        Map<String, Long> ours = new TreeMap<>();
        for (var field : Nr.class.getDeclaredFields()) {
            if (field.getType() == long.class) {
                ours.put(field.getName(), (long) field.get(null));
                program.append("P(\"%s\", __NR_%s);\n"
                        .formatted(field.getName(), field.getName().toLowerCase(java.util.Locale.ROOT)));
            }
        }

        assertThat(ours).hasSizeGreaterThan(40).isEqualTo(compiled(program.toString()));
    }

    private Map<String, Long> compiled(String body) throws Exception {
        Path source = directory.resolve("probe.c");
        Files.writeString(source, """
                #define _GNU_SOURCE
                #include <stddef.h>
                #include <stdio.h>
                #include <sys/socket.h>
                #include <sys/uio.h>
                #include <sys/epoll.h>
                #include <asm/unistd.h>
                #include <asm/termbits.h>
                #include <linux/openat2.h>
                #include <linux/stat.h>
                #include <linux/mount.h>
                #include <linux/loop.h>
                #include <linux/dqblk_xfs.h>
                #include <linux/quota.h>
                #include <linux/fs.h>
                #define P(name, value) printf("%%s=%%ld\\n", name, (long)(value))
                int main(void) {
                %s
                return 0;
                }
                """.formatted(body));
        run("gcc", "-o", directory.resolve("probe").toString(), source.toString());
        Map<String, Long> values = new LinkedHashMap<>();
        run(directory.resolve("probe").toString()).lines().forEach(line -> {
            int equals = line.lastIndexOf('=');
            values.put(line.substring(0, equals), Long.parseLong(line.substring(equals + 1)));
        });
        return new TreeMap<>(values);
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }
}
