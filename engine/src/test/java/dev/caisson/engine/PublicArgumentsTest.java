package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.SnapshotName;
import dev.caisson.secret.SecretName;
import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.BlockDevice;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerLink;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.CpuList;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.Egress;
import dev.caisson.spec.ExtraHost;
import dev.caisson.spec.Gate;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.HostServices;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.IoLimit;
import dev.caisson.spec.IoWeight;
import dev.caisson.spec.Limits;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.OnSecretChange;
import dev.caisson.spec.Placement;
import dev.caisson.spec.PublishedPorts;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.Subnet;
import dev.caisson.spec.TerminalSize;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.VolumeSpec;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.spec.WorkspaceSpec;
import dev.caisson.spec.WritableLayer;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What an embedder makes refuses null and absurd numbers with a coded exception, wherever they are given.
class PublicArgumentsTest {
    private static final Map<Class<?>, Object> SAMPLES = samples();

    private static Map<Class<?>, Object> samples() {
        var samples = new LinkedHashMap<Class<?>, Object>();
        // of the JDK, to call with
        samples.put(String.class, "1");
        samples.put(String[].class, new String[] {"true"});
        samples.put(Path.class, Path.of("/nowhere"));
        samples.put(Duration.class, Duration.ofSeconds(1));
        samples.put(Optional.class, Optional.empty());
        samples.put(OptionalInt.class, OptionalInt.empty());
        samples.put(OptionalLong.class, OptionalLong.empty());
        samples.put(List.class, List.of());
        samples.put(Set.class, Set.of());
        samples.put(Map.class, Map.of());
        samples.put(InputStream.class, new ByteArrayInputStream(new byte[0]));
        samples.put(OutputStream.class, OutputStream.nullOutputStream());
        samples.put(byte[].class, new byte[0]);
        samples.put(int.class, 100);
        samples.put(long.class, 100_000L);
        samples.put(boolean.class, true);
        // of Caisson, to call
        samples.put(Bytes.class, Bytes.mebibytes(64));
        samples.put(CpuQuota.class, CpuQuota.cpus("1"));
        samples.put(CpuList.class, CpuList.parse("0"));
        samples.put(BlockDevice.class, new BlockDevice(8, 0));
        samples.put(IoLimit.class, IoLimit.on(new BlockDevice(8, 0)));
        samples.put(IoWeight.class, new IoWeight(new BlockDevice(8, 0), 100));
        samples.put(Limits.class, Limits.defaults());
        samples.put(Image.class, Image.host());
        samples.put(Image.Directory.class, new Image.Directory(Path.of("/nowhere")));
        samples.put(Image.OciLayout.class, new Image.OciLayout(Path.of("/nowhere"), Optional.empty()));
        samples.put(Image.DockerArchive.class, new Image.DockerArchive(Path.of("/nowhere"), Optional.empty()));
        samples.put(InRootPath.class, InRootPath.parse("/data"));
        samples.put(Mount.Bind.class, new Mount.Bind(Path.of("/nowhere"), InRootPath.parse("/data"), true, false));
        samples.put(
                Mount.Tmpfs.class, new Mount.Tmpfs(InRootPath.parse("/data"), Bytes.mebibytes(1), 0700, false, false));
        samples.put(WorkspaceName.class, new WorkspaceName("a"));
        samples.put(WorkspaceSpec.class, WorkspaceSpec.named("a"));
        samples.put(
                Mount.Workspace.class, new Mount.Workspace(new WorkspaceName("a"), InRootPath.parse("/data"), false));
        samples.put(Workspace.class, new Workspace(new WorkspaceName("a"), Bytes.mebibytes(16), 64, Instant.EPOCH));
        samples.put(HostDevice.class, new HostDevice(Path.of("/dev/null"), InRootPath.parse("/dev/null"), Set.of()));
        samples.put(Rlimit.Resource.class, Rlimit.Resource.NOFILE);
        samples.put(Rlimit.class, new Rlimit(Rlimit.Resource.NOFILE, 1, 2));
        samples.put(WritableLayer.Place.class, WritableLayer.Place.ANY);
        samples.put(WritableLayer.class, WritableLayer.STANDARD);
        samples.put(Placement.Parent.class, new Placement.Parent("a"));
        samples.put(Placement.Tenant.class, new Placement.Tenant("a", Optional.empty()));
        samples.put(SeccompChoice.class, new SeccompChoice.Standard());
        samples.put(SeccompChoice.Watch.class, SeccompChoice.Watch.TELL);
        samples.put(SeccompChoice.Custom.class, new SeccompChoice.Custom("a", "{}"));
        samples.put(
                SeccompChoice.Watched.class,
                new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL));
        samples.put(ContainerId.class, new ContainerId("0".repeat(64)));
        samples.put(ContainerSpec.class, ContainerSpec.of(Image.host(), "true"));
        samples.put(EngineOptions.class, EngineOptions.standard());
        samples.put(CgroupDriver.class, CgroupDriver.CGROUPFS);
        samples.put(Streams.class, Streams.capture());
        samples.put(
                Streams.Copy.class,
                new Streams.Copy(Optional.empty(), OutputStream.nullOutputStream(), OutputStream.nullOutputStream()));
        samples.put(RunResult.Captured.class, RunResult.Captured.of(""));
        samples.put(Verdict.class, Verdict.OK);
        samples.put(RunResult.class, RunResult.of(Verdict.OK, 0));
        samples.put(Exec.class, Exec.of("true"));
        samples.put(CopyOptions.class, CopyOptions.STANDARD);
        samples.put(CommitOptions.class, CommitOptions.STANDARD);
        samples.put(ImportOptions.class, ImportOptions.STANDARD);
        samples.put(DetachedOptions.class, DetachedOptions.STANDARD);
        samples.put(LogFiles.class, LogFiles.STANDARD);
        samples.put(RestartPolicy.class, RestartPolicy.parse("no"));
        samples.put(HealthCheck.class, HealthCheck.NONE);
        samples.put(TerminalSize.class, new TerminalSize(1, 1));
        samples.put(Network.class, Network.on("a"));
        samples.put(NetworkEndpoint.class, NetworkEndpoint.on("a"));
        samples.put(Egress.class, Egress.none());
        samples.put(Gate.class, Gate.of("a").to("a.example").asBearer());
        samples.put(VolumeSpec.class, VolumeSpec.named("aa"));
        samples.put(NetworkSpec.class, NetworkSpec.of("aa"));
        samples.put(Subnet.class, Subnet.parse("10.1.0.0/16"));
        samples.put(Bandwidth.class, Bandwidth.parse("in=1mbit"));
        samples.put(Mount.Volume.class, Mount.Volume.unnamed("/data"));
        samples.put(VolumeName.class, new VolumeName("aa"));
        samples.put(Capability.class, Capability.CHOWN);
        samples.put(Capability[].class, new Capability[] {Capability.CHOWN});
        samples.put(CapabilitySet.class, CapabilitySet.of(Capability.CHOWN));
        samples.put(SecretName.class, new SecretName("a"));
        samples.put(OnSecretChange.Program.class, new OnSecretChange.Program(List.of("a")));
        samples.put(OnSecretChange.Signal.class, new OnSecretChange.Signal(1));
        samples.put(Instant.class, Instant.EPOCH);
        samples.put(HealthReport.Health.class, HealthReport.Health.NONE);
        samples.put(HealthReport.Probe.class, new HealthReport.Probe(Instant.EPOCH, Instant.EPOCH, 0, ""));
        samples.put(HealthReport.class, new HealthReport(HealthReport.Health.NONE, 0, List.of(), List.of()));
        samples.put(InetAddress.class, InetAddress.getLoopbackAddress());
        samples.put(ExtraHost.class, ExtraHost.parse("a:127.0.0.1"));
        samples.put(ContainerLink.class, ContainerLink.parse("a:b"));
        samples.put(PublishedPorts.class, PublishedPorts.NONE);
        samples.put(DeviceRule.class, DeviceRule.STANDARD.getFirst());
        samples.put(HostServices.class, HostServices.NONE);
        samples.put(ImageReference.class, ImageReference.parse("a:1"));
        samples.put(SnapshotName.class, new SnapshotName("a"));
        samples.put(MacAddress.class, MacAddress.parse("02:00:00:00:00:01"));
        return samples;
    }

    private static Stream<Class<?>> types() {
        return SAMPLES.keySet().stream().filter(type -> type.getName().startsWith("dev.caisson."));
    }

    @ParameterizedTest
    @MethodSource("types")
    void null_is_refused_with_a_code(Class<?> type) {
        var wrong = new ArrayList<String>();
        callables(type).forEach(callable -> {
            for (int i = 0; i < callable.getParameterCount(); i++) {
                if (!callable.getParameterTypes()[i].isPrimitive()) {
                    check(callable, i, null, wrong);
                }
            }
        });
        assertThat(wrong).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("types")
    void absurd_values_are_taken_or_refused_with_a_code(Class<?> type) {
        var wrong = new ArrayList<String>();
        callables(type).forEach(callable -> {
            for (int i = 0; i < callable.getParameterCount(); i++) {
                for (Object absurd : absurd(callable.getParameterTypes()[i])) {
                    check(callable, i, absurd, wrong);
                }
            }
        });
        assertThat(wrong).isEmpty();
    }

    @Test
    void every_type_is_called() {
        assertThat(types().mapToLong(type -> callables(type).count()).sum()).isGreaterThan(100);
    }

    private static List<Object> absurd(Class<?> type) {
        if (type == String.class) {
            return List.of("", "\0", "a\nb", "../..", "x".repeat(70_000), "\ud800");
        }
        if (type == long.class) {
            return List.of(Long.MIN_VALUE, -1L, 0L, Long.MAX_VALUE);
        }
        if (type == int.class) {
            return List.of(Integer.MIN_VALUE, -1, 0, Integer.MAX_VALUE);
        }
        if (type == Duration.class) {
            return List.of(Duration.ZERO, Duration.ofSeconds(-1), Duration.ofSeconds(Long.MAX_VALUE));
        }
        if (type == Path.class) {
            return List.of(Path.of(""), Path.of("relative"));
        }
        if (type == String[].class) {
            return List.of(new String[0], new String[] {null}, new String[] {"\ud800"});
        }
        if (type == List.class) {
            return List.of(Arrays.asList((Object) null));
        }
        return List.of();
    }

    private static Stream<Executable> callables(Class<?> type) {
        Stream<Executable> constructors = Arrays.stream(type.getConstructors());
        Stream<Executable> methods = Arrays.stream(type.getDeclaredMethods());
        return Stream.concat(constructors, methods)
                .filter(callable -> Modifier.isPublic(callable.getModifiers()) && !callable.isSynthetic())
                .filter(callable -> callable.getParameterCount() > 0)
                .filter(callable -> !Set.of("equals", "valueOf", "compareTo").contains(callable.getName()));
    }

    private static void check(Executable callable, int position, @Nullable Object value, List<String> wrong) {
        @Nullable
        Object[] arguments = Arrays.stream(callable.getParameterTypes())
                .map(type -> sample(type))
                .toArray();
        arguments[position] = value;
        try {
            call(callable, arguments);
        } catch (InvocationTargetException e) {
            if (!(e.getCause() instanceof CaissonException refused)) {
                wrong.add(callable + " [" + position + "] = " + shown(value) + ": " + e.getCause());
            } else {
                assertThat(refused.httpStatus()).as(callable + ": " + refused).isEqualTo(400);
                if (!isPlainLine(refused.sentence())) {
                    wrong.add(callable + " [" + position + "] has no plain line of bounded length");
                }
            }
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    private static boolean isPlainLine(String sentence) {
        return sentence.length() < 2_000 && sentence.chars().noneMatch(Character::isISOControl);
    }

    private static String shown(@Nullable Object value) {
        String text = String.valueOf(value);
        return text.length() > 40 ? text.length() + " characters" : text;
    }

    private static void call(Executable callable, @Nullable Object[] arguments) throws ReflectiveOperationException {
        if (callable instanceof Method method) {
            Object on = Modifier.isStatic(method.getModifiers()) ? null : SAMPLES.get(method.getDeclaringClass());
            method.invoke(on, arguments);
        } else if (callable instanceof java.lang.reflect.Constructor<?> constructor) {
            constructor.newInstance(arguments);
        }
    }

    private static @Nullable Object sample(Class<?> type) {
        Object exact = SAMPLES.get(type);
        if (exact != null) {
            return exact;
        }
        return SAMPLES.values().stream().filter(type::isInstance).findFirst().orElse(null);
    }
}
