package dev.caisson.launch;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// The wire form of a plan's steps, as `native/plan.h` defines it.
public final class PlanCodec {
    static final int MAGIC = 0x314e5343;
    static final int NO_PAUSE = 0xffff;
    static final int MAX_BYTES = 4 << 20;
    private static final int HEADER = 16;
    private static final int STEP_HEADER = 8;

    private PlanCodec() {}

    public static byte[] encode(LaunchPlan plan) {
        return encode(plan, NO_PAUSE);
    }

    /// @param pauseBefore index of a step before which init waits, for tests of recovery
    /// @throws RefusedException where arguments, variables and files together are more than a plan carries
    static byte[] encode(LaunchPlan plan, int pauseBefore) {
        var body = new ByteArrayOutputStream();
        for (Step step : plan.steps()) {
            byte[] payload = payload(step);
            ByteBuffer header = ByteBuffer.allocate(STEP_HEADER).order(ByteOrder.LITTLE_ENDIAN);
            header.put((byte) step.phase().number())
                    .put((byte) Opcode.of(step).number())
                    .putShort((short) 0)
                    .putInt(payload.length);
            body.writeBytes(header.array());
            body.writeBytes(payload);
        }
        int total = HEADER + body.size();
        if (total > MAX_BYTES) {
            throw new RefusedException(
                    "PLAN_TOO_LARGE", "arguments and variables are more than 4 MiB: pass them in a file");
        }
        ByteBuffer all = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
        all.putInt(MAGIC)
                .putInt(total)
                .putShort((short) plan.steps().size())
                .putShort((short) plan.slots().size())
                .putShort((short) pauseBefore)
                .putShort((short) 0);
        all.put(body.toByteArray());
        return all.array();
    }

    private static byte[] payload(Step step) {
        var out = new Payload();
        switch (step) {
            case Step.Seal _, Step.CgroupNamespace _, Step.Mapped _, Step.NoNewPrivileges _, Step.MakePrivate _ -> {}
            case Step.Pivot _, Step.MakeRootReadOnly _, Step.VerifyMounts _, Step.RaiseLoopback _ -> {}
            case Step.JoinKeyring _ -> {}
            case Step.JoinCgroup join -> out.u16(join.slot().index());
            case Step.AttachRoot root -> out.u16(root.slot().index());
            case Step.MountFileSystem mount ->
                out.u8(mount.fileSystem().number())
                        .u8(mount.flags().stream().mapToInt(MountFlag::bit).sum())
                        .u32(mount.mode())
                        .u64(mount.bytes())
                        .u64(mount.inodes())
                        .text(mount.target().relative());
            case Step.MountSlot mount ->
                out.u16(mount.slot().index())
                        .u8(mount.file() ? 1 : 0)
                        .text(mount.target().relative());
            case Step.MakeDirectory make ->
                out.u32(make.mode()).text(make.path().relative());
            case Step.WriteFile write ->
                out.u32(write.mode()).text(write.path().relative()).text(write.content());
            case Step.MakeSymbolicLink link ->
                out.text(link.target()).text(link.path().relative());
            case Step.BindDevice bind -> out.u8(bind.device().number());
            case Step.OpenConsole console ->
                out.u16(console.rows())
                        .u16(console.columns())
                        .u32(console.uid())
                        .u32(console.gid());
            case Step.SetSysctl sysctl -> out.text(sysctl.name().relative()).text(sysctl.value());
            case Step.Mask mask -> out.text(mask.path().relative());
            case Step.MakeReadOnly make -> out.text(make.path().relative());
            case Step.SetHostName set -> out.text(set.name());
            case Step.SetDomainName set -> out.text(set.name());
            case Step.SetResourceLimit set ->
                out.u32(set.limit().resource().number())
                        .u64(set.limit().soft())
                        .u64(set.limit().hard());
            case Step.SetOomScoreAdjustment set -> out.u32(set.value());
            case Step.SetPrivileges set -> {
                out.u64(set.bounding().mask())
                        .u64(set.permitted().mask())
                        .u32(set.uid())
                        .u32(set.gid());
                out.u32(set.supplementaryGroups().size());
                set.supplementaryGroups().forEach(out::u32);
            }
            case Step.RestrictScope restrict -> out.u32(restrict.scopes());
            case Step.Ready ready -> out.text(ready.workingDirectory());
            case Step.InstallFilter install -> out.bytes(install.program().bytes());
            case Step.Execute execute ->
                out.u8(execute.initStays() ? 1 : 0)
                        .u8(execute.controllingTerminal() ? 1 : 0)
                        .text(execute.searchPath())
                        .list(execute.arguments())
                        .list(execute.environment());
        }
        return out.toByteArray();
    }

    /// Little-endian fields, one after the other.
    private static final class Payload {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Payload u8(int value) {
            out.write(value);
            return this;
        }

        Payload u16(int value) {
            return little(value, 2);
        }

        Payload u32(int value) {
            return little(value, 4);
        }

        Payload u64(long value) {
            return little(value, 8);
        }

        private Payload little(long value, int width) {
            for (int i = 0; i < width; i++) {
                out.write((int) (value >>> (8 * i)));
            }
            return this;
        }

        Payload bytes(byte[] value) {
            u32(value.length);
            out.writeBytes(value);
            return this;
        }

        Payload text(String value) {
            return bytes(value.getBytes(StandardCharsets.UTF_8));
        }

        Payload list(List<String> values) {
            u32(values.size());
            values.forEach(this::text);
            return this;
        }

        byte[] toByteArray() {
            return out.toByteArray();
        }
    }
}
