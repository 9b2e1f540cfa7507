SELECT checkout.now_ms()
