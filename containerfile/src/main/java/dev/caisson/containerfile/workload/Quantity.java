package dev.caisson.containerfile.workload;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Amounts as compose and Kubernetes write them.
final class Quantity {
    private static final Pattern BYTES = Pattern.compile("([0-9]{1,15}(?:\\.[0-9]{1,9})?)\\s*([kmgtp]?i?b?)");
    private static final Pattern KUBERNETES = Pattern.compile(
            "([+-]?[0-9]{1,18}(?:\\.[0-9]{0,18})?)(?:[eE]([+-]?[0-9]{1,2})|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?");
    private static final Map<String, BigDecimal> SUFFIXES = Map.ofEntries(
            Map.entry("Ki", binary(10)),
            Map.entry("Mi", binary(20)),
            Map.entry("Gi", binary(30)),
            Map.entry("Ti", binary(40)),
            Map.entry("Pi", binary(50)),
            Map.entry("Ei", binary(60)),
            Map.entry("n", BigDecimal.ONE.scaleByPowerOfTen(-9)),
            Map.entry("u", BigDecimal.ONE.scaleByPowerOfTen(-6)),
            Map.entry("m", BigDecimal.ONE.scaleByPowerOfTen(-3)),
            Map.entry("k", BigDecimal.ONE.scaleByPowerOfTen(3)),
            Map.entry("M", BigDecimal.ONE.scaleByPowerOfTen(6)),
            Map.entry("G", BigDecimal.ONE.scaleByPowerOfTen(9)),
            Map.entry("T", BigDecimal.ONE.scaleByPowerOfTen(12)),
            Map.entry("P", BigDecimal.ONE.scaleByPowerOfTen(15)),
            Map.entry("E", BigDecimal.ONE.scaleByPowerOfTen(18)));

    private Quantity() {}

    /// Bytes as compose writes them: `512m`, `1.5gb`, `1048576`; units are powers of 1024. `-1` is -1.
    static Optional<Long> bytes(String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        if (lower.equals("-1")) {
            return Optional.of(-1L);
        }
        Matcher matcher = BYTES.matcher(lower);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String unit = matcher.group(2);
        int power = unit.isEmpty() ? 0 : "bkmgtp".indexOf(unit.charAt(0));
        return exact(new BigDecimal(matcher.group(1)).multiply(binary(10 * Math.max(0, power))));
    }

    /// A Kubernetes quantity: `500m`, `128Mi`, `1e3`, `2`.
    static Optional<BigDecimal> kubernetes(String text) {
        Matcher matcher = KUBERNETES.matcher(text.strip());
        if (!matcher.matches()) {
            return Optional.empty();
        }
        BigDecimal number = new BigDecimal(matcher.group(1).endsWith(".") ? matcher.group(1) + "0" : matcher.group(1));
        if (matcher.group(2) != null) {
            return Optional.of(number.scaleByPowerOfTen(Integer.parseInt(matcher.group(2))));
        }
        return Optional.of(matcher.group(3) == null ? number : number.multiply(SUFFIXES.get(matcher.group(3))));
    }

    static Optional<Double> decimal(String text) {
        try {
            double value = Double.parseDouble(text.strip());
            return Double.isFinite(value) ? Optional.of(value) : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    static Optional<Long> whole(String text) {
        try {
            return Optional.of(Long.parseLong(text.strip()));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /// The whole part, at most the greatest `long`.
    static Optional<Long> exact(BigDecimal value) {
        return Optional.of(value.min(BigDecimal.valueOf(Long.MAX_VALUE)).longValue());
    }

    private static BigDecimal binary(int power) {
        return BigDecimal.valueOf(2).pow(power);
    }
}
