package dev.caisson.cli.system;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.image.StoredImage;
import dev.caisson.launch.HostFacts;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The fields of Docker's `info` that Caisson has. Containers and images are counted for root alone.
final class InfoFields {
    private static final Pattern MEMORY = Pattern.compile("(?m)^MemTotal: +([0-9]{1,15}) kB$");
    private static final Pattern SYSTEM = Pattern.compile("(?m)^PRETTY_NAME=\"?([^\"\n]*)\"?$");

    private static final int MOST_BYTES = 1 << 16;

    private InfoFields() {}

    static Map<String, Object> of(HostFacts host, EngineOptions options) {
        var fields = new LinkedHashMap<String, Object>();
        if (host.effectiveUid() == 0) {
            putCounts(fields, options);
        }
        fields.put("Driver", "overlay");
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            fields.put("CgroupVersion", hierarchy.world() == Hierarchy.World.V2 ? "2" : "1");
        }
        fields.put("CgroupDriver", options.driver().name().toLowerCase(Locale.ROOT));
        fields.put("KernelVersion", host.kernel());
        fields.put("OperatingSystem", first(SYSTEM, read("/etc/os-release"), "Linux"));
        fields.put("OSType", "linux");
        fields.put("Architecture", host.architecture());
        fields.put("NCPU", (long) Runtime.getRuntime().availableProcessors());
        fields.put("MemTotal", Long.parseLong(first(MEMORY, read("/proc/meminfo"), "0")) << 10);
        fields.put("DockerRootDir", options.data().toString());
        fields.put("Name", read("/proc/sys/kernel/hostname").strip());
        fields.put("ServerVersion", Version.current().caisson());
        fields.put(
                "SecurityOptions",
                List.of("name=seccomp,profile=builtin", "name=userns", "name=no-new-privileges", "name=cgroupns"));
        return fields;
    }

    private static void putCounts(Map<String, Object> fields, EngineOptions options) {
        List<String> states =
                ContainerStatus.all(options).stream().map(ContainerStatus::word).toList();
        fields.put("Containers", (long) states.size());
        fields.put("ContainersRunning", count(states, "running") + count(states, "restarting"));
        fields.put("ContainersPaused", count(states, "paused"));
        fields.put("ContainersStopped", count(states, "exited") + count(states, "created") + count(states, "dead"));
        try (Images images = Images.open(options)) {
            fields.put(
                    "Images",
                    images.list().stream().map(StoredImage::manifest).distinct().count());
        }
    }

    private static long count(List<String> states, String state) {
        return states.stream().filter(state::equals).count();
    }

    private static String read(String file) {
        try (Fd opened = FileSystem.open(file, FileSystem.O_RDONLY)) {
            return new String(FileSystem.read(opened, MOST_BYTES), StandardCharsets.UTF_8);
        }
    }

    private static String first(Pattern pattern, String text, String otherwise) {
        Matcher found = pattern.matcher(text);
        return found.find() ? found.group(1) : otherwise;
    }
}
