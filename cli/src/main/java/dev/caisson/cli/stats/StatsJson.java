package dev.caisson.cli.stats;

import dev.caisson.engine.Survey.Sample;
import dev.caisson.engine.Survey.Total;
import dev.caisson.engine.WritableUse;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Pressure;
import dev.caisson.spec.Usage;
import io.avaje.json.JsonWriter;
import io.avaje.json.stream.JsonStream;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;

/// Samples for programs: bytes and nanoseconds, and no field for what the kernel does not tell or does
/// not limit.
final class StatsJson {
    private final JsonWriter out;

    private StatsJson(JsonWriter out) {
        this.out = out;
    }

    /// Containers, then tenants, which have no `id`.
    static String of(
            Map<String, Sample> before, List<Sample> now, Map<String, Total> totalsBefore, List<Total> totals) {
        var text = new StringWriter();
        try (JsonWriter out = JsonStream.builder().build().writer(text)) {
            var json = new StatsJson(out);
            out.beginArray();
            now.forEach(sample -> json.container(before.getOrDefault(sample.id(), sample), sample));
            totals.forEach(total -> json.tenant(totalsBefore.getOrDefault(total.path(), total), total));
            out.endArray();
        }
        return text.toString();
    }

    private void container(Sample before, Sample now) {
        out.beginObject();
        text("id", now.id());
        text("name", now.name());
        text("image", now.image());
        text("cgroup", now.path());
        now.tenant().ifPresent(tenant -> text("tenant", tenant));
        text("created", now.created().toString());
        now.usage().writable().ifPresent(this::writable);
        if (!now.usage().interfaces().isEmpty()) {
            networks(now.usage().interfaces());
        }
        group(now.usage().group(), StatsLine.processors(before, now));
        out.endObject();
    }

    private void tenant(Total before, Total now) {
        out.beginObject();
        text("tenant", now.tenant());
        text("cgroup", now.path());
        number("containers", now.containers());
        group(now.usage(), StatsLine.processors(before.usage(), now.usage(), now.nanoTime() - before.nanoTime()));
        out.endObject();
    }

    private void group(Usage usage, double processors) {
        cpu(usage.cpu(), processors);
        usage.memory().ifPresent(this::memory);
        usage.pids().ifPresent(this::pids);
        usage.io().ifPresent(this::io);
        usage.pressure().ifPresent(pressures -> {
            begin("pressure");
            pressure("cpu", pressures.cpu());
            pressure("memory", pressures.memory());
            pressure("io", pressures.io());
            out.endObject();
        });
    }

    private void cpu(Usage.Cpu cpu, double processors) {
        begin("cpu");
        out.name("processors");
        out.value(Math.round(processors * 1000) / 1000.0);
        number("totalNanos", cpu.total().toNanos());
        number("userNanos", cpu.user().toNanos());
        number("systemNanos", cpu.system().toNanos());
        number("periods", cpu.throttling().periods());
        number("throttledPeriods", cpu.throttling().throttledPeriods());
        number("throttledNanos", cpu.throttling().throttledTime().toNanos());
        out.endObject();
    }

    private void memory(Usage.Memory memory) {
        begin("memory");
        bytes("usage", memory.current());
        bytes("workingSet", memory.workingSet());
        bytes("anonymous", memory.anonymous());
        bytes("file", memory.file());
        memory.kernel().ifPresent(kernel -> bytes("kernel", kernel));
        memory.slab().ifPresent(slab -> bytes("slab", slab));
        bytes("swap", memory.swap());
        memory.peak().ifPresent(peak -> bytes("peak", peak));
        bytes("limit", memory.limit());
        number("limitHits", memory.limitHits());
        number("oomKills", memory.oomKills());
        out.endObject();
    }

    private void pids(Usage.Pids pids) {
        begin("pids");
        number("current", pids.current());
        pids.peak().ifPresent(peak -> number("peak", peak));
        if (pids.limit() != Limits.UNLIMITED_PIDS) {
            number("limit", pids.limit());
        }
        number("refused", pids.refused());
        out.endObject();
    }

    private void writable(WritableUse writable) {
        begin("writableLayer");
        bytes("used", writable.used());
        bytes("size", writable.size());
        number("inodes", writable.inodes());
        number("mostInodes", writable.mostInodes());
        out.endObject();
    }

    /// Writes the interfaces in the form of Docker's API.
    private void networks(List<InterfaceUse> links) {
        begin("networks");
        for (InterfaceUse link : links) {
            begin(link.name());
            traffic("rx_", link.received());
            traffic("tx_", link.sent());
            out.endObject();
        }
        out.endObject();
    }

    private void traffic(String prefix, InterfaceUse.Traffic traffic) {
        number(prefix + "bytes", traffic.bytes());
        number(prefix + "packets", traffic.packets());
        number(prefix + "errors", traffic.errors());
        number(prefix + "dropped", traffic.dropped());
    }

    private void io(List<Usage.Io> disks) {
        out.name("io");
        out.beginArray();
        for (Usage.Io disk : disks) {
            out.beginObject();
            text("device", disk.device().toString());
            number("readBytes", disk.readBytes());
            number("writtenBytes", disk.writtenBytes());
            number("reads", disk.readOperations());
            number("writes", disk.writeOperations());
            out.endObject();
        }
        out.endArray();
    }

    private void pressure(String resource, Pressure pressure) {
        begin(resource);
        stall("some", pressure.some());
        stall("full", pressure.full());
        out.endObject();
    }

    private void stall(String name, Pressure.Stall stall) {
        begin(name);
        out.name("last10");
        out.value(stall.last10());
        out.name("last60");
        out.value(stall.last60());
        out.name("last300");
        out.value(stall.last300());
        number("totalNanos", stall.total().toNanos());
        out.endObject();
    }

    private void begin(String name) {
        out.name(name);
        out.beginObject();
    }

    private void text(String name, String value) {
        out.name(name);
        out.value(value);
    }

    private void number(String name, long value) {
        out.name(name);
        out.value(value);
    }

    private void bytes(String name, Bytes value) {
        if (!value.isUnlimited()) {
            number(name, value.count());
        }
    }
}
