package io.holdfast.broker.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/**
 * Where a connection's reads go. A large command of known length is read into the buffer that
 * already has its beginning, up to its end and little more: what is read elsewhere has to be copied
 * behind it, which took as long as the read itself. All else goes to new buffers, as large as what
 * came before makes likely.
 *
 * <p>Owned by the connection's event loop.
 */
@SuppressWarnings("deprecation") // the type that Netty asks for
final class CommandReads implements RecvByteBufAllocator {
  /** Reads in a row before others have their turn: what Netty does with sockets. */
  private static final int READS = 16;

  private static final AdaptiveRecvByteBufAllocator ADAPTIVE = adaptive();

  /** Knows what is being received. */
  interface Receiver {
    /**
     * Where the next read goes, to be released by whoever gets it.
     *
     * @return with room to write; null for any buffer
     */
    ByteBuf next(ByteBufAllocator alloc);
  }

  private final Receiver receiver;

  CommandReads(Receiver receiver) {
    this.receiver = receiver;
  }

  private static AdaptiveRecvByteBufAllocator adaptive() {
    AdaptiveRecvByteBufAllocator sizes = new AdaptiveRecvByteBufAllocator();
    sizes.maxMessagesPerRead(READS);
    return sizes;
  }

  @Override
  public RecvByteBufAllocator.Handle newHandle() {
    return new Reads((ExtendedHandle) ADAPTIVE.newHandle());
  }

  private final class Reads extends DelegatingHandle implements ExtendedHandle {
    private final ExtendedHandle sizes;

    private Reads(ExtendedHandle sizes) {
      super(sizes);
      this.sizes = sizes;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator alloc) {
      ByteBuf into = receiver.next(alloc);
      return into == null ? sizes.allocate(alloc) : into;
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
      return sizes.continueReading(maybeMoreData);
    }
  }
}
