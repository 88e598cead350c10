package io.holdfast.tools.bench;

import io.holdfast.tools.cli.ToolContext;
import java.util.List;

/**
 * Modes of {@code bench} for developers, which are in a jar of their own that is not shipped; found
 * by {@link java.util.ServiceLoader}.
 */
public interface BenchModes {
  /**
   * @param context streams and stop request
   * @return picocli commands
   */
  List<Object> commands(ToolContext context);
}
