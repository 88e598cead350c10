package io.holdfast.tools.bench.suite;

import io.holdfast.tools.bench.BenchModes;
import io.holdfast.tools.bench.peers.PeersCommand;
import io.holdfast.tools.cli.ToolContext;
import java.util.List;

/** Adds {@code suite}, {@code guard} and {@code peers} to {@code bench}. */
public final class SuiteModes implements BenchModes {
  @Override
  public List<Object> commands(ToolContext context) {
    return List.of(new SuiteCommand(context), new GuardCommand(context), new PeersCommand(context));
  }
}
