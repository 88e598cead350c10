package io.holdfast.tools.admin;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code admin health}: prints what the broker says of its readiness. */
@Command(
    name = "health",
    description = "Prints the broker's checks; the exit code is 1 when it is not ready.")
final class HealthCommand implements Callable<Integer> {
  private static final int NOT_FOUND = 404;

  private final ToolContext context;

  @ParentCommand private AdminCommand admin;

  HealthCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    AdminApi api = admin.api();
    HttpJson.Reply reply = api.get("/health/ready");
    if (reply.status() == NOT_FOUND) {
      reply = api.get("/ping"); // nsqd
    }
    context.out().println(reply.text());
    return reply.status() == 200 ? ExitCode.OK : ExitCode.FAILURE;
  }
}
