"""The forms of a course as data sheets: the clinic's own data, laid out to copy or attach; never the official form."""
