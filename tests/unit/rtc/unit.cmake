aios_unit_test(rtc LIBRARIES base.test SOURCES kernel/time/rtc_date.cpp)
