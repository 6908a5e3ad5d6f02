package dev.caisson.cli.template;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What names mean at one place of a template: the dot, the root as `$`, and variables.
final class Scope {
    private final @Nullable Object root;
    private final @Nullable Object dot;
    private final Map<String, @Nullable Object> variables;

    Scope(@Nullable Object root) {
        this(root, root, Map.of());
    }

    private Scope(@Nullable Object root, @Nullable Object dot, Map<String, ?> variables) {
        this.root = root;
        this.dot = dot;
        this.variables = new LinkedHashMap<>(variables);
    }

    @Nullable
    Object dot() {
        return dot;
    }

    @Nullable
    Object variable(String name) {
        if (name.equals("$")) {
            return root;
        }
        if (!variables.containsKey(name)) {
            throw new TemplateException("undefined variable \"" + name + "\" in --format");
        }
        return variables.get(name);
    }

    Scope with(@Nullable Object value) {
        return new Scope(root, value, variables);
    }

    void set(String name, @Nullable Object value) {
        variables.put(name, value);
    }
}
