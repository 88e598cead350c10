/** Who may ask for what over HTTP. */
package io.holdfast.broker.access;
