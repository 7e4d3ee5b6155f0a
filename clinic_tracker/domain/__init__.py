"""Pure rules of LEMTRADA treatment and monitoring: standard library only, no clock, no database."""
