package io.holdfast.broker.wire;

import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.broker.net.ReadGate.Reason;
import io.netty.channel.ChannelHandlerContext;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * Lets a command wait for other threads: the connection reads and runs nothing meanwhile, and goes
 * on on its event loop with the result.
 *
 * <p>Owned by the connection's event loop.
 */
final class Async {
  /** The rest of a command. */
  interface Step {
    void run() throws ClientException;
  }

  /** The rest of a command, with what was waited for. */
  interface Then<T> {
    /**
     * @param failure null when it worked
     */
    void run(T value, Throwable failure) throws ClientException;
  }

  private final ChannelHandlerContext ctx;
  private final ProtocolV2Decoder decoder;
  private final Connection connection;

  Async(ChannelHandlerContext ctx, ProtocolV2Decoder decoder, Connection connection) {
    this.ctx = ctx;
    this.decoder = decoder;
    this.connection = connection;
  }

  /** Goes on when the future is done: at once when it is done already. */
  <T> void await(CompletableFuture<T> future, Then<T> then) throws ClientException {
    if (future.isDone() && !future.isCompletedExceptionally()) {
      then.run(future.join(), null);
      return;
    }
    suspend();
    future.whenComplete(
        (value, failure) -> {
          OutOfMemoryExit.check(failure);
          Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
          ctx.executor().execute(() -> resumeWith(() -> then.run(value, cause)));
        });
  }

  /** Goes on after a while. */
  void after(long ms, Step then) {
    suspend();
    ctx.executor().schedule(() -> resumeWith(then), ms, TimeUnit.MILLISECONDS);
  }

  private void suspend() {
    connection.gate().close(Reason.COMMAND);
  }

  /** Loses what came behind the command that runs now. */
  void dropBuffered() {
    decoder.dropBuffered();
  }

  /** Waits for the handlers below, which go on reading. */
  void suspendForHandshake() {
    connection.gate().close(Reason.HANDSHAKE);
  }

  void resumeWith(Step step) {
    if (connection.isClosed()) {
      return;
    }
    connection.gate().open(Reason.HANDSHAKE);
    connection.gate().open(Reason.COMMAND);
    try {
      step.run();
    } catch (ClientException e) {
      connection.fail(e);
    }
    if (connection.gate().mayRun()) {
      decoder.resume();
    }
  }
}
