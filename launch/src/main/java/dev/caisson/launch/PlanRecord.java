package dev.caisson.launch;

import dev.caisson.secret.SecretName;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.SharedName;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.WorkspaceName;
import java.nio.file.Path;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A plan as it is written down and read again: plain texts and numbers. What the program is given is left out.
///
/// @param links a line of words for each
/// @param steps the wire form of the steps, in Base64
public record PlanRecord(
        int idBase,
        List<String> namespaces,
        int layers,
        long bytes,
        long inodes,
        List<String> slots,
        List<String> links,
        String steps) {
    public static PlanRecord of(LaunchPlan plan) {
        return new PlanRecord(
                plan.ids().base(),
                plan.namespaces().stream().map(Namespace::name).sorted().toList(),
                plan.root().layers(),
                plan.root().bytes(),
                plan.root().inodes(),
                plan.slots().stream().map(PlanRecord::text).toList(),
                plan.links().stream().map(PlanRecord::text).toList(),
                Base64.getEncoder().encodeToString(PlanCodec.encode(withoutTexts(plan))));
    }

    /// Variables often hold secrets, arguments are many; nothing that is compared later needs them.
    private static LaunchPlan withoutTexts(LaunchPlan plan) {
        List<Step> steps = plan.steps().stream()
                .map(step -> step instanceof Step.Execute execute
                        ? new Step.Execute(
                                execute.initStays(),
                                execute.controllingTerminal(),
                                "",
                                List.of(""),
                                List.of(),
                                execute.idle())
                        : step)
                .toList();
        return plan.with(steps);
    }

    /// The plan again, without the words that describe its filter.
    /// @throws IllegalArgumentException where it was not written by this version
    public LaunchPlan plan() {
        return withSteps(PlanDecoder.steps(Base64.getDecoder().decode(steps)));
    }

    /// Returns the plan with the words of its program, which are not written down, for an error that names them.
    /// @throws IllegalArgumentException where it was not written by this version
    public LaunchPlan plan(List<String> command) {
        return withSteps(PlanDecoder.steps(Base64.getDecoder().decode(steps)).stream()
                .map(step -> step instanceof Step.Execute execute
                        ? new Step.Execute(
                                execute.initStays(),
                                execute.controllingTerminal(),
                                execute.searchPath(),
                                command,
                                execute.environment(),
                                execute.idle())
                        : step)
                .toList());
    }

    private LaunchPlan withSteps(List<Step> all) {
        Set<Namespace> own = EnumSet.noneOf(Namespace.class);
        namespaces.forEach(name -> own.add(Namespace.valueOf(name)));
        return new LaunchPlan(
                new IdRange(idBase, IdRange.WIDTH),
                own,
                new LaunchPlan.RootAssembly(layers, bytes, inodes),
                slots.stream().map(PlanRecord::slot).toList(),
                links.stream().map(PlanRecord::link).toList(),
                all);
    }

    private static String text(Link link) {
        return String.join(
                " ",
                link.host(),
                link.bridge(),
                link.guest(),
                Integer.toString(link.guestIndex()),
                Integer.toString(link.mtu()),
                link.mac().toString(),
                link.isolated() ? "isolated" : "open");
    }

    private static Link link(String text) {
        String[] words = text.split(" ", 7);
        return new Link(
                words[0],
                words[1],
                words[2],
                Integer.parseInt(words[3]),
                Integer.parseInt(words[4]),
                MacAddress.parse(words[5]),
                words[6].equals("isolated"));
    }

    private static String text(SlotSource source) {
        return switch (source) {
            case SlotSource.Plan _ -> "plan";
            case SlotSource.Control _ -> "control";
            case SlotSource.Root _ -> "root";
            case SlotSource.CgroupDirectory _ -> "cgroup";
            case SlotSource.NamespaceOf _, SlotSource.Lifetime _ ->
                throw new IllegalArgumentException("no slot of a launch");
            case SlotSource.Upper upper -> "upper " + upper.medium();
            case SlotSource.Stream stream -> "stream " + stream.number();
            case SlotSource.CgroupTasks tasks -> "tasks " + tasks.index();
            case SlotSource.Layer layer -> "layer " + layer.index();
            case SlotSource.Bind bind -> "bind " + bind.index() + (bind.readOnly() ? " ro " : " rw ") + bind.source();
            case SlotSource.Shared shared ->
                shared.name().kind() + " " + shared.index() + (shared.readOnly() ? " ro " : " rw ") + shared.name()
                        + (shared.subpath().isRoot()
                                ? ""
                                : " " + shared.subpath().relative());
            case SlotSource.ImageFiles files ->
                "image " + files.index() + " " + files.image()
                        + (files.subpath().isRoot() ? "" : " " + files.subpath().relative());
            case SlotSource.Secrets secrets -> "secrets " + secrets.index() + " " + text(secrets.files());
            case SlotSource.Cover cover -> "cover " + cover.index() + " " + cover.source();
            case SlotSource.Device device ->
                "device " + device.index() + " " + device.node().rule(device.access()) + " " + device.source();
        };
    }

    private static SlotSource slot(String text) {
        String[] words = text.split(" ", mostWords(text));
        return switch (words[0]) {
            case "plan" -> new SlotSource.Plan();
            case "control" -> new SlotSource.Control();
            case "root" -> new SlotSource.Root();
            case "cgroup" -> new SlotSource.CgroupDirectory();
            case "stream" -> new SlotSource.Stream(Integer.parseInt(words[1]));
            case "upper" -> new SlotSource.Upper(LayerMedium.valueOf(words[1]));
            case "tasks" -> new SlotSource.CgroupTasks(Integer.parseInt(words[1]));
            case "layer" -> new SlotSource.Layer(Integer.parseInt(words[1]));
            case "bind" -> new SlotSource.Bind(Integer.parseInt(words[1]), Path.of(words[3]), words[2].equals("ro"));
            case "workspace" -> shared(words, new WorkspaceName(words[3]));
            case "volume" -> shared(words, new VolumeName(words[3]));
            case "image" -> new SlotSource.ImageFiles(Integer.parseInt(words[1]), words[2], rest(words, 3));
            case "secrets" -> new SlotSource.Secrets(Integer.parseInt(words[1]), secrets(words[2]));
            case "cover" -> new SlotSource.Cover(Integer.parseInt(words[1]), Path.of(words[2]));
            case "device" ->
                device(Integer.parseInt(words[1]), String.join(" ", words[2], words[3], words[4]), words[5]);
            default -> throw new IllegalArgumentException("not a slot: " + text);
        };
    }

    private static SlotSource shared(String[] words, SharedName name) {
        return new SlotSource.Shared(Integer.parseInt(words[1]), name, words[2].equals("ro"), rest(words, 4));
    }

    private static InRootPath rest(String[] words, int index) {
        return InRootPath.of(words.length > index ? words[index] : "");
    }

    private static String text(List<SlotSource.Secrets.Placed> files) {
        return files.stream()
                .map(file -> file.secret() + ":" + file.file() + ":" + file.uid() + ":" + file.gid() + ":"
                        + Integer.toOctalString(file.mode()))
                .collect(Collectors.joining(","));
    }

    private static List<SlotSource.Secrets.Placed> secrets(String text) {
        return Stream.of(text.split(",", -1))
                .map(file -> file.split(":", -1))
                .map(parts -> new SlotSource.Secrets.Placed(
                        new SecretName(parts[0]),
                        new SecretName(parts[1]),
                        Integer.parseInt(parts[2]),
                        Integer.parseInt(parts[3]),
                        Integer.parseInt(parts[4], 8)))
                .toList();
    }

    /// A path comes last, and may hold spaces.
    private static int mostWords(String text) {
        if (text.startsWith("device ")) {
            return 6;
        }
        return text.matches("(workspace|volume) .*") ? 5 : text.matches("(bind|image) .*") ? 4 : 3;
    }

    private static SlotSource device(int index, String text, String source) {
        DeviceRule rule = DeviceRule.parse(text).getFirst();
        var node = new DeviceNode(
                rule.kind(), rule.major().orElseThrow(), rule.minor().orElseThrow());
        return new SlotSource.Device(index, Path.of(source), node, rule.access());
    }
}
